#![allow(missing_docs, clippy::all)]
use sn1::engine::*;
use sn1_actors::ports::*;
use std::time::Instant;
#[allow(dead_code)]
fn cpu() -> f64 {
    std::fs::read_to_string("/proc/self/schedstat")
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse::<f64>()
        .unwrap()
        / 1e9
}
fn main() {
    let precision = match std::env::args().nth(1).as_deref() {
        Some("fast") => Precision::Fast,
        Some("f32") => Precision::F32,
        _ => Precision::Faithful,
    };
    let home = std::env::var("HOME").unwrap();
    let files = LocalModelFiles {
        text: format!(
            "{home}/.cache/sn1/models/smollm2-135m-instruct/SmolLM2-135M-Instruct.Q4_1.gguf"
        )
        .into(),
        embedder: None,
    };
    let t = Instant::now();
    let mut e = LocalEngine::load(
        &files,
        EngineOptions {
            precision,
            threads: Some(std::env::args().nth(2).map_or(2, |t| t.parse().unwrap())),
            ..Default::default()
        },
    )
    .unwrap();
    println!("load {:?}", t.elapsed());
    let place = |e: &mut LocalEngine, s: u32| {
        e.place(Placement {
            sequence: SequenceId(s),
            blocks: (0..32).map(|i| BlockId(s * 32 + i)).collect(),
            cached: 0,
        })
        .unwrap();
    };
    let rows = |s: u32, a: u32, b: u32| -> Vec<Row> {
        (a..b)
            .map(|p| Row {
                sequence: SequenceId(s),
                position: p,
                token: (p * 7919 + 13) % 40000 + 100,
                wants_logits: p + 1 == b,
            })
            .collect()
    };
    let only: Option<u32> = std::env::args().nth(3).map(|t| t.parse().unwrap());
    for (n, k) in if only == Some(423) {
        vec![(423, 8), (423, 8)]
    } else if only.is_some() {
        vec![]
    } else {
        vec![(48, 25), (423, 7)]
    } {
        let mut t = vec![];
        for _ in 0..k {
            place(&mut e, 0);
            let i = Instant::now();
            e.step(&rows(0, 0, n)).unwrap();
            t.push(n as f64 / i.elapsed().as_secs_f64());
            e.release(SequenceId(0));
        }
        t.sort_by(f64::total_cmp);
        println!("prefill {n}: median {:.0} best {:.0}", t[t.len() / 2], t[t.len() - 1]);
    }
    for k in only.map_or(vec![1u32, 2, 4, 8, 16], |k| if k == 423 { vec![] } else { vec![k; 10] }) {
        let mut t = vec![];
        for s in 0..k {
            place(&mut e, s);
            e.step(&rows(s, 0, 48)).unwrap();
        }
        for p in 48..88 {
            let r: Vec<Row> = (0..k).flat_map(|s| rows(s, p, p + 1)).collect();
            let i = Instant::now();
            e.step(&r).unwrap();
            t.push(k as f64 / i.elapsed().as_secs_f64());
        }
        for s in 0..k {
            e.release(SequenceId(s));
        }
        t.sort_by(f64::total_cmp);
        println!("decode x{k}: median {:.0} best {:.0}", t[t.len() / 2], t[t.len() - 1]);
    }
    let s = std::fs::read_to_string("/proc/self/status").unwrap();
    println!("{}", s.lines().find(|l| l.starts_with("VmHWM")).unwrap());
}
