// What polkadot-js reads of a subtensor chain, to compare ours with; scripts/test-chain.sh runs it.
//
//   node polkadot.mjs metagraph WS_URL NETUID FILE   FILE: the output of `sn1 metagraph --json`
//   node polkadot.mjs weights WS_URL NETUID URI      URI: the development hotkey of a validator
//   node polkadot.mjs permit WS_URL NETUID URI
//
// CHAIN_FOLDER is the folder of the local chain, which has @polkadot/api installed.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const require = createRequire(`${process.env.CHAIN_FOLDER}/`);
const { ApiPromise, Keyring, WsProvider } = require('@polkadot/api');

const [mode, url, netuidText, last] = process.argv.slice(2);
const netuid = Number(netuidText);
const keyring = new Keyring({ type: 'sr25519', ss58Format: 42 });

// One spelling of each address: IPv6 has many.
const canonical = (ip) => (ip?.includes(':') ? new URL(`http://[${ip}]`).hostname.slice(1, -1) : ip);

function address(axon) {
  const ip = axon.ip.toBigInt();
  if (ip === 0n || axon.port.toNumber() === 0) return [null, null];
  const hex = ip.toString(16).padStart(32, '0');
  const text = axon.ipType.toNumber() === 4
    ? hex.slice(24).match(/../g).map((byte) => parseInt(byte, 16)).join('.')
    : canonical(hex.match(/..../g).join(':'));
  return [text, axon.port.toNumber()];
}

async function neuron(query, uid, columns) {
  const hotkey = (await query.keys(netuid, uid)).toString();
  const axon = (await query.axons(netuid, hotkey)).unwrapOr(null);
  const [ip, port] = axon ? address(axon) : [null, null];
  // As specs from 218 on, spec 202, and those before have it.
  const ofSubnet = query.totalHotkeyAlpha ?? query.totalHotkeySubStake;
  const stake = ofSubnet ? await ofSubnet(hotkey, netuid) : await query.totalHotkeyStake(hotkey);
  return {
    uid,
    hotkey,
    coldkey: (await query.owner(hotkey)).toString(),
    ip,
    port,
    stake: Number(stake.toBigInt()) / 1e9,
    validator_permit: columns.permits[uid]?.isTrue ?? false,
    last_update: columns.updates[uid]?.toNumber() ?? 0,
    incentive: (columns.incentives[uid]?.toNumber() ?? 0) / 65535,
  };
}

const same = (ours, theirs) =>
  typeof ours === 'number' && typeof theirs === 'number'
    ? Math.abs(ours - theirs) <= 1e-6 * Math.max(1, Math.abs(theirs))
    : ours === theirs;

async function metagraph(api) {
  const ours = JSON.parse(readFileSync(last));
  const { subtensorModule: query } = (await api.at(await api.rpc.chain.getBlockHash(ours.block))).query;
  const [permits, updates, incentives] = await Promise.all(
    [query.validatorPermit, query.lastUpdate, query.incentive].map((read) => read(netuid)),
  );
  const n = (await query.subnetworkN(netuid)).toNumber();
  if (ours.neurons.length !== n) throw new Error(`ours has ${ours.neurons.length} neurons, not ${n}`);
  let differences = 0;
  for (const one of ours.neurons) {
    const theirs = await neuron(query, one.uid, { permits, updates, incentives });
    one.ip = canonical(one.ip);
    for (const [field, value] of Object.entries(theirs)) {
      if (same(one[field], value)) continue;
      differences += 1;
      console.log(`uid ${one.uid}: ${field} is ${one[field]}, polkadot-js reads ${value}`);
    }
  }
  console.log(`${n} neurons of spec ${api.runtimeVersion.specVersion} at block ${ours.block}: ${differences} differences`);
  return n > 0 && differences === 0;
}

async function uidOf(api) {
  const { address: hotkey } = keyring.addFromUri(last);
  return (await api.query.subtensorModule.uids(netuid, hotkey)).unwrap().toNumber();
}

async function permit(api) {
  const permits = (await api.query.subtensorModule.validatorPermit(netuid)).toJSON();
  return permits[await uidOf(api)] === true;
}

async function weights(api) {
  const query = api.query.subtensorModule;
  const uid = await uidOf(api);
  const set = (await query.weights(netuid, uid)).toJSON();
  console.log(`weights of uid ${uid}: ${JSON.stringify(set)}`);
  return set.length > 0 && set.some(([, value]) => value === 65535);
}

const api = await ApiPromise.create({ provider: new WsProvider(url), noInitWarn: true });
const fine = await { metagraph, permit, weights }[mode](api);
await api.disconnect();
console.log(fine ? 'ok' : 'failed');
process.exit(fine ? 0 : 1);
