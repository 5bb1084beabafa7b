use futures_util::FutureExt;
use sn1_actors::ports::TokioClock;

use super::*;

const BLOCK: Duration = Duration::from_secs(12);

/// The n-th address of a row of well-formed ones.
fn address(n: usize) -> String {
    let digits: Vec<char> = "123456789".chars().collect();
    let tail: String = [n / 729, n / 81 % 9, n / 9 % 9, n % 9].map(|d| digits[d]).iter().collect();
    format!("{}{tail}", "5".repeat(44))
}

fn hotkey(n: usize) -> Hotkey {
    Hotkey::parse(&address(n)).unwrap()
}

fn coldkey(n: usize) -> Coldkey {
    Coldkey::parse(&address(n)).unwrap()
}

fn config(change: impl FnOnce(&mut LocalChainConfig)) -> LocalChainConfig {
    let mut config = LocalChainConfig { block_time: BLOCK, ..LocalChainConfig::default() };
    config.hyperparameters.weights_rate_limit = 0;
    change(&mut config);
    config
}

/// A chain at its genesis, with one neuron for each stake.
fn chain(config: LocalChainConfig, stakes: &[f64]) -> LocalChain {
    let clock = Arc::new(TokioClock::starting_now(|| Duration::ZERO));
    let chain = LocalChain::new(config, clock).unwrap();
    for (n, stake) in stakes.iter().enumerate() {
        assert_eq!(chain.register(hotkey(n), coldkey(n), Tao(*stake)), Ok(Uid(n as u16)));
    }
    chain
}

fn call(weights: &[(u16, u16)]) -> WeightsCall {
    let (uids, values) = weights.iter().map(|&(uid, value)| (Uid(uid), value)).unzip();
    WeightsCall { netuid: Netuid(1), uids, values, version_key: 0 }
}

async fn set(
    chain: &LocalChain,
    n: usize,
    weights: &[(u16, u16)],
) -> Result<BlockNumber, ChainError> {
    send(&chain.handle(hotkey(n)), call(weights)).await
}

/// Sets weights as WeightSetter does.
async fn send(handle: &Arc<dyn Chain>, call: WeightsCall) -> Result<BlockNumber, ChainError> {
    let PreparedWeights { way, signed } = handle.prepare_weights(call.clone()).await?;
    handle.submit_weights(WeightsIntent { begun: BlockNumber(0), call, way, signed }).await
}

/// What a refusal says.
async fn refusal(chain: &LocalChain, n: usize, call: WeightsCall) -> String {
    match send(&chain.handle(hotkey(n)), call).await {
        Err(ChainError::Refused(why)) => why,
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn counts_blocks_by_elapsed_time() {
    let chain = chain(config(|_| ()), &[]);
    assert_eq!(chain.block(), BlockNumber(0));
    tokio::time::advance(BLOCK - Duration::from_millis(1)).await;
    assert_eq!(chain.block(), BlockNumber(0));
    tokio::time::advance(Duration::from_millis(1)).await;
    assert_eq!(chain.block(), BlockNumber(1));
    tokio::time::advance(BLOCK * 1000).await;
    assert_eq!(chain.block(), BlockNumber(1001));
}

#[tokio::test(start_paused = true)]
async fn waits_for_the_next_block_and_not_for_one_that_is_there() {
    let chain = chain(config(|_| ()), &[]);
    let handle = chain.handle(hotkey(0));
    assert_eq!(handle.block_after(BlockNumber(0)).now_or_never(), None);
    assert_eq!(handle.block_after(BlockNumber(0)).await, Ok(BlockNumber(1)));
    assert_eq!(handle.block_after(BlockNumber(3)).await, Ok(BlockNumber(4)));
    assert_eq!(chain.block(), BlockNumber(4));
    // Who fell behind gets the newest block at once.
    assert_eq!(handle.block_after(BlockNumber(1)).now_or_never(), Some(Ok(BlockNumber(4))));
}

#[tokio::test(start_paused = true)]
async fn waits_quietly_for_a_block_that_is_too_far_away() {
    let handle = chain(config(|_| ()), &[]).handle(hotkey(0));
    assert_eq!(handle.block_after(BlockNumber(u64::MAX)).now_or_never(), None);
}

#[tokio::test(start_paused = true)]
async fn an_epoch_turns_every_tempo_and_one_blocks_shifted_by_the_netuid() {
    let shifted = config(|config| {
        config.netuid = Netuid(3);
        config.hyperparameters.tempo = 10;
    });
    let chain = chain(shifted, &[]);
    let turns: Vec<u64> =
        (0..40).filter(|block| chain.epoch_turns_at(BlockNumber(*block))).collect();
    assert_eq!(turns, [7, 18, 29]);
    // 2^64 + 3 is 8 modulo 11.
    assert!(!chain.epoch_turns_at(BlockNumber(u64::MAX)));
    assert!(chain.epoch_turns_at(BlockNumber(u64::MAX - 8)));
}

#[tokio::test(start_paused = true)]
async fn shows_every_neuron_in_order_of_uid() {
    let chain = chain(config(|_| ()), &[5.0, 0.0]);
    let handle = chain.handle(hotkey(1));
    handle.serve_axon("127.0.0.1:8091".parse().unwrap()).await.unwrap();
    let block = set(&chain, 0, &[(1, 9)]).await.unwrap();
    let metagraph = handle.metagraph().await.unwrap();
    assert_eq!(metagraph.netuid, Netuid(1));
    assert_eq!(metagraph.block, block);
    let [validator, miner] = metagraph.neurons.as_slice() else { panic!("{metagraph:?}") };
    assert_eq!((validator.uid, &validator.hotkey, validator.stake), (Uid(0), &hotkey(0), Tao(5.0)));
    assert_eq!((validator.validator_permit, validator.last_update), (true, block));
    assert_eq!((miner.uid, &miner.coldkey, miner.validator_permit), (Uid(1), &coldkey(1), false));
    assert_eq!((validator.axon, miner.axon), (None, Some("127.0.0.1:8091".parse().unwrap())));
    assert_eq!(miner.last_update, BlockNumber(0));
    assert_eq!(handle.hyperparameters().await.unwrap(), config(|_| ()).hyperparameters);
}

#[tokio::test(start_paused = true)]
async fn permits_go_to_the_most_stake_and_to_the_older_of_equals() {
    let three = config(|config| config.max_validators = 3);
    let permits = async |stakes: &[f64]| -> Vec<bool> {
        let metagraph = chain(three, stakes).handle(hotkey(0)).metagraph().await.unwrap();
        metagraph.neurons.iter().map(|neuron| neuron.validator_permit).collect()
    };
    assert_eq!(permits(&[1.0, 7.0, 0.0, 2.0, 1.0]).await, [true, true, false, true, false]);
    assert_eq!(permits(&[0.0, 0.0, 1.0]).await, [false, false, true]);
}

#[tokio::test(start_paused = true)]
async fn refuses_to_register_twice_without_number_for_stake_and_beyond_capacity() {
    let chain = chain(config(|_| ()), &[0.0; CAPACITY - 1]);
    let again = chain.register(hotkey(3), coldkey(9), Tao(1.0));
    assert_eq!(again, Err(LocalChainError::AlreadyRegistered(hotkey(3))));
    for stake in [f64::NAN, f64::INFINITY, -1.0] {
        let refused = chain.register(hotkey(2000), coldkey(0), Tao(stake));
        assert!(matches!(refused, Err(LocalChainError::NoStake { .. })));
    }
    assert!(chain.register(hotkey(2000), coldkey(0), Tao(1.0)).is_ok());
    let one_more = chain.register(hotkey(2001), coldkey(0), Tao(1.0));
    assert_eq!(one_more, Err(LocalChainError::Full));
}

#[tokio::test(start_paused = true)]
async fn refuses_blocks_that_take_no_time() {
    let clock = Arc::new(TokioClock::starting_now(|| Duration::ZERO));
    let refused = LocalChain::new(config(|config| config.block_time = Duration::ZERO), clock);
    assert_eq!(refused.err(), Some(LocalChainError::NoBlockTime));
}

#[tokio::test(start_paused = true)]
async fn weights_are_in_the_next_block_and_stored_with_the_largest_at_65535() {
    let chain = chain(config(|_| ()), &[1.0, 0.0, 0.0]);
    tokio::time::advance(BLOCK * 5 / 2).await;
    assert_eq!(set(&chain, 0, &[(1, 200), (2, 50)]).await, Ok(BlockNumber(3)));
    assert_eq!(chain.weights_of(Uid(0)), [(Uid(1), 65535), (Uid(2), 16384)]);
    set(&chain, 0, &[(2, 65535), (1, 20000)]).await.unwrap();
    assert_eq!(chain.weights_of(Uid(0)), [(Uid(2), 65535), (Uid(1), 20000)]);
    set(&chain, 0, &[(1, 0)]).await.unwrap();
    assert_eq!(chain.weights_of(Uid(0)), [(Uid(1), 0)]);
    assert_eq!(chain.weights_of(Uid(1)), []);
    assert_eq!(chain.weights_of(Uid(77)), []);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_is_not_made() {
    let chain = chain(config(|_| ()), &[1.0, 0.0]);
    let dropped = tokio::time::timeout(BLOCK / 2, set(&chain, 0, &[(1, 1)])).await;
    assert!(dropped.is_err(), "its block is not there yet");
    tokio::time::advance(BLOCK * 3).await;
    assert_eq!(chain.weights_of(Uid(0)), []);
}

#[tokio::test(start_paused = true)]
async fn refuses_another_subnet_lists_that_do_not_match_and_lists_that_are_too_long() {
    let chain = chain(config(|_| ()), &[1.0, 0.0]);
    let other = WeightsCall { netuid: Netuid(2), ..call(&[(1, 1)]) };
    assert!(refusal(&chain, 0, other).await.contains("subnet 2"));
    let uneven = WeightsCall { values: vec![1, 2], ..call(&[(1, 1)]) };
    assert!(refusal(&chain, 0, uneven).await.contains("1 uids but 2"));
    assert!(refusal(&chain, 0, call(&[(0, 1), (1, 1), (1, 1)])).await.contains("3 weights for 2"));
}

#[tokio::test(start_paused = true)]
async fn refuses_who_is_not_registered_and_who_has_no_permit() {
    let chain = chain(config(|_| ()), &[1.0, 0.0]);
    assert_eq!(set(&chain, 9, &[(1, 1)]).await, Err(ChainError::NotRegistered(hotkey(9))));
    assert_eq!(set(&chain, 1, &[(0, 1)]).await, Err(ChainError::NoPermit(hotkey(1))));
    assert_eq!(set(&chain, 1, &[(1, 1), (0, 1)]).await, Err(ChainError::NoPermit(hotkey(1))));
}

#[tokio::test(start_paused = true)]
async fn of_several_broken_rules_the_real_chains_first_is_reported() {
    let strict = config(|config| {
        config.hyperparameters.weights_version = 7;
        config.hyperparameters.weights_rate_limit = 10;
        config.hyperparameters.min_allowed_weights = 2;
    });
    let chain = chain(strict, &[0.0, 1.0, 0.0]);
    let keyed = |version_key, weights| WeightsCall { version_key, ..call(weights) };
    let stranger = send(&chain.handle(hotkey(9)), keyed(0, &[(1, 1)])).await;
    assert_eq!(stranger, Err(ChainError::NotRegistered(hotkey(9))), "before the version");
    let handle = chain.handle(hotkey(0));
    send(&handle, keyed(7, &[(0, 1)])).await.unwrap();
    let old = refusal(&chain, 0, keyed(6, &[(1, 1)])).await;
    assert!(old.contains("version key"), "before the rate: {old}");
    let early = send(&handle, keyed(7, &[(1, 1)])).await;
    assert_eq!(early, Err(ChainError::TooSoon { wait: 8 }), "before the permit");
    tokio::time::advance(BLOCK * 10).await;
    let unpermitted = send(&handle, keyed(7, &[(9, 1), (9, 1)])).await;
    assert_eq!(unpermitted, Err(ChainError::NoPermit(hotkey(0))), "before the uids");
    let twice = refusal(&chain, 1, keyed(7, &[(9, 1), (9, 1)])).await;
    assert!(twice.contains("twice"), "before the range: {twice}");
    let unknown = refusal(&chain, 1, keyed(7, &[(9, 1)])).await;
    assert!(unknown.contains("no neuron"), "before the length: {unknown}");
}

#[tokio::test(start_paused = true)]
async fn weights_on_oneself_alone_need_no_permit_no_company_and_no_limit() {
    let strict = config(|config| {
        config.hyperparameters.min_allowed_weights = 2;
        config.hyperparameters.max_weight_limit = 100;
    });
    let chain = chain(strict, &[1.0, 0.0]);
    assert!(set(&chain, 1, &[(1, 1)]).await.is_ok());
    assert_eq!(chain.weights_of(Uid(1)), [(Uid(1), 65535)]);
}

#[tokio::test(start_paused = true)]
async fn refuses_a_version_key_older_than_the_subnets() {
    let chain = chain(config(|config| config.hyperparameters.weights_version = 7), &[1.0, 0.0]);
    let keyed = |version_key| WeightsCall { version_key, ..call(&[(1, 1)]) };
    assert!(refusal(&chain, 0, keyed(6)).await.contains("version key 6"));
    for key in [7, 8] {
        assert!(send(&chain.handle(hotkey(0)), keyed(key)).await.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn limits_the_rate_in_blocks_since_the_last_update_of_that_hotkey() {
    let limited = config(|config| config.hyperparameters.weights_rate_limit = 10);
    let chain = chain(limited, &[1.0, 1.0, 0.0]);
    assert_eq!(set(&chain, 0, &[(2, 1)]).await, Ok(BlockNumber(1)));
    assert_eq!(set(&chain, 0, &[(2, 1)]).await, Err(ChainError::TooSoon { wait: 9 }));
    assert_eq!(set(&chain, 1, &[(2, 1)]).await, Ok(BlockNumber(3)), "the other hotkey may");
    tokio::time::advance(BLOCK * 6).await;
    assert_eq!(set(&chain, 0, &[(2, 2)]).await, Err(ChainError::TooSoon { wait: 1 }));
    assert_eq!(set(&chain, 0, &[(2, 2)]).await, Ok(BlockNumber(11)));
    let metagraph = chain.handle(hotkey(0)).metagraph().await.unwrap();
    let updates: Vec<u64> = metagraph.neurons.iter().map(|n| n.last_update.0).collect();
    assert_eq!(updates, [11, 3, 0]);
}

#[tokio::test(start_paused = true)]
async fn refuses_uids_that_come_twice_or_belong_to_nobody() {
    let chain = chain(config(|_| ()), &[1.0, 0.0]);
    assert!(refusal(&chain, 0, call(&[(1, 1), (1, 2)])).await.contains("uid 1 is in"));
    assert!(refusal(&chain, 0, call(&[(2, 1)])).await.contains("no neuron has uid 2"));
}

#[tokio::test(start_paused = true)]
async fn refuses_too_few_weights_unless_there_are_no_more_neurons() {
    let least_three = config(|config| config.hyperparameters.min_allowed_weights = 3);
    let large = chain(least_three, &[1.0, 0.0, 0.0, 0.0]);
    assert!(refusal(&large, 0, call(&[(1, 1), (2, 1)])).await.contains("at least 3"));
    assert!(set(&large, 0, &[(1, 1), (2, 1), (3, 1)]).await.is_ok());
    let small = chain(least_three, &[1.0, 0.0]);
    assert!(set(&small, 0, &[(0, 1), (1, 1)]).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn refuses_one_weight_with_too_large_a_share() {
    let half = config(|config| config.hyperparameters.max_weight_limit = u16::MAX / 2 + 1);
    let chain = chain(half, &[1.0, 0.0, 0.0]);
    assert!(refusal(&chain, 0, call(&[(1, 3), (2, 2)])).await.contains("32768 of 65535"));
    assert!(refusal(&chain, 0, call(&[(1, 1)])).await.contains("32768 of 65535"));
    assert!(set(&chain, 0, &[(1, 3), (2, 3)]).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_refused_call_changes_nothing() {
    let chain = chain(config(|_| ()), &[1.0, 0.0]);
    let block = set(&chain, 0, &[(1, 1)]).await.unwrap();
    refusal(&chain, 0, call(&[(5, 1)])).await;
    assert_eq!(chain.weights_of(Uid(0)), [(Uid(1), 65535)]);
    let metagraph = chain.handle(hotkey(0)).metagraph().await.unwrap();
    assert_eq!(metagraph.neurons[0].last_update, block);
}

#[tokio::test(start_paused = true)]
async fn serves_axons_on_loopback_but_not_where_nobody_can_call() {
    let chain = chain(config(|_| ()), &[0.0]);
    let serve = |text: &str| chain.handle(hotkey(0)).serve_axon(text.parse().unwrap());
    for good in ["127.0.0.1:1", "[::1]:8091", "10.1.2.3:65535"] {
        assert_eq!(serve(good).await, Ok(()), "{good}");
    }
    for bad in ["0.0.0.0:8091", "255.255.255.255:8091", "[::]:8091", "10.1.2.3:0"] {
        assert!(matches!(serve(bad).await, Err(ChainError::Refused(_))), "{bad}");
    }
    let metagraph = chain.handle(hotkey(0)).metagraph().await.unwrap();
    assert_eq!(metagraph.neurons[0].axon, Some("10.1.2.3:65535".parse().unwrap()));
    let stranger = chain.handle(hotkey(4)).serve_axon("10.1.2.3:1".parse().unwrap()).await;
    assert_eq!(stranger, Err(ChainError::NotRegistered(hotkey(4))));
}

#[tokio::test(start_paused = true)]
async fn limits_the_rate_at_which_an_axon_moves() {
    let chain = chain(config(|config| config.serving_rate_limit = 3), &[0.0]);
    let serve = || chain.handle(hotkey(0)).serve_axon("127.0.0.1:1".parse().unwrap());
    assert_eq!(serve().await, Ok(()));
    assert_eq!(serve().await, Err(ChainError::TooSoon { wait: 2 }));
    assert_eq!(serve().await, Err(ChainError::TooSoon { wait: 1 }));
    assert_eq!(serve().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn incentives_are_the_mean_of_the_weights_by_stake() {
    let two = config(|config| config.max_validators = 2);
    let chain = chain(two, &[3.0, 1.0, 0.0, 0.0, 0.5]);
    assert_eq!(chain.incentives(), [0.0; 5]);
    // What validator 0 gives itself does not count, so the others have a half of its row each.
    set(&chain, 0, &[(0, 65535), (2, 65535), (3, 65535)]).await.unwrap();
    set(&chain, 1, &[(3, 1000)]).await.unwrap();
    // Without a permit weights on oneself are stored, but earn nothing.
    set(&chain, 4, &[(4, 65535)]).await.unwrap();
    assert_eq!(chain.incentives(), [0.0, 0.0, 0.375, 0.625, 0.0]);
}

#[tokio::test(start_paused = true)]
async fn incentives_of_zero_weights_are_zeros_and_no_nonsense() {
    let chain = chain(config(|_| ()), &[1.0, 0.0]);
    set(&chain, 0, &[(1, 0)]).await.unwrap();
    assert_eq!(chain.incentives(), [0.0, 0.0]);
}
