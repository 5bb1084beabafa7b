// For those who come from the original's run.sh: pm2 start config/deploy/ecosystem.config.cjs
// It updates nothing by itself: `sn1 upgrade-check NEW` says whether a new program can take over.
// SN1_BIN and SN1_CONFIG name another program and another folder of settings.
// The miner needs another hotkey than the validator (wallet.hotkey in its settings).
const program = process.env.SN1_BIN || "/usr/local/bin/sn1";
const folder = process.env.SN1_CONFIG || "/etc/sn1";

const neuron = (name, args) => ({
  name,
  script: program,
  args,
  interpreter: "none",
  // What may pass, as a model server that is not up yet, is tried for as long as it takes, after
  // pauses that grow from 5 to 15 seconds. pm2 then shows as "waiting restart" also what it has left
  // alone: the exit code in its log tells which.
  exp_backoff_restart_delay: 5000,
  // What a new start does not mend; the table is in README.md beside this file.
  stop_exit_codes: [0, 2, 3, 4, 5, 6, 8, 130],
  // pm2 says SIGINT, which without a terminal ends the program within 10 seconds as SIGTERM does;
  // its own patience of 1.6 seconds would kill it in the middle.
  kill_timeout: 15000,
  merge_logs: true,
  time: true,
});

module.exports = {
  apps: [
    neuron("sn1-validator", ["validator", "--config", `${folder}/validator-test.toml`]),
    neuron("sn1-miner", ["miner", "--config", `${folder}/miner-test.toml`, "--axon.port", "8092"]),
  ],
};
