//! Which texts are embedded in the next call of the device: small requests together, large ones in
//! parts. Pure; ModelWorker runs one such batch between two steps, so that neither embeddings nor
//! texts wait long for the other.

use std::collections::VecDeque;

/// About so many bytes make a token.
const BYTES_PER_TOKEN: usize = 4;

struct Request<T> {
    texts: Vec<String>,
    vectors: Vec<Vec<f32>>,
    /// It was in a batch that the device refused: the next time it goes by itself.
    alone: bool,
    carried: T,
}

/// A request with all its vectors.
#[derive(Debug)]
pub struct Embedded<T> {
    /// What its asker handed in.
    pub carried: T,
    /// One vector a text.
    pub vectors: Vec<Vec<f32>>,
}

/// The requests, in order.
pub struct EmbedQueue<T> {
    waiting: VecDeque<Request<T>>,
    /// How many texts of each of the first requests are under way.
    under_way: Vec<usize>,
    most_texts: usize,
    most_tokens: usize,
}

impl<T> EmbedQueue<T> {
    /// Batches of so many texts, of about so many tokens together.
    #[must_use]
    pub fn new(most_texts: usize, most_tokens: usize) -> Self {
        Self { waiting: VecDeque::new(), under_way: Vec::new(), most_texts, most_tokens }
    }

    /// How many requests there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Adds a request; it has at least one text.
    pub fn push(&mut self, texts: Vec<String>, carried: T) {
        self.waiting.push_back(Request { texts, vectors: Vec::new(), alone: false, carried });
    }

    /// Takes out whoever `gone` says. Not while a batch is under way.
    pub fn take_out(&mut self, gone: impl Fn(&T) -> bool) -> Vec<T> {
        if !self.waiting.iter().any(|request| gone(&request.carried)) {
            return Vec::new();
        }
        let (leave, stay): (Vec<_>, Vec<_>) =
            self.waiting.drain(..).partition(|request| gone(&request.carried));
        self.waiting = stay.into();
        leave.into_iter().map(|request| request.carried).collect()
    }

    /// The next batch; `None` if nobody waits.
    pub fn next_batch(&mut self) -> Option<Vec<String>> {
        let (mut texts, mut tokens) = (Vec::new(), 0);
        self.under_way.clear();
        for request in &self.waiting {
            if request.alone && !self.under_way.is_empty() {
                break;
            }
            let mut taken = 0;
            for text in &request.texts[request.vectors.len()..] {
                let more = text.len() / BYTES_PER_TOKEN + 1;
                let full = texts.len() >= self.most_texts || tokens + more > self.most_tokens;
                if full && !texts.is_empty() {
                    break;
                }
                tokens += more;
                texts.push(text.clone());
                taken += 1;
            }
            if taken > 0 {
                self.under_way.push(taken);
            }
            let whole = request.vectors.len() + taken == request.texts.len();
            if request.alone || !whole {
                break;
            }
        }
        (!texts.is_empty()).then_some(texts)
    }

    /// How many vectors the batch under way must give.
    #[must_use]
    pub fn awaited(&self) -> usize {
        self.under_way.iter().sum()
    }

    /// Takes the vectors of the batch, as many as it [awaits](Self::awaited); gives back the
    /// requests that are complete.
    pub fn apply(&mut self, vectors: Vec<Vec<f32>>) -> Vec<Embedded<T>> {
        let mut vectors = vectors.into_iter();
        for (request, taken) in self.waiting.iter_mut().zip(self.under_way.drain(..)) {
            request.vectors.extend(vectors.by_ref().take(taken));
        }
        let mut complete = Vec::new();
        while self.waiting.front().is_some_and(|r| r.vectors.len() == r.texts.len()) {
            let Some(Request { carried, vectors, .. }) = self.waiting.pop_front() else { break };
            complete.push(Embedded { carried, vectors });
        }
        complete
    }

    /// The device refused the batch because of one of its texts: a request that was in it by itself
    /// is given back, several will be tried one by one.
    pub fn refused(&mut self) -> Option<T> {
        let in_batch = std::mem::take(&mut self.under_way).len();
        if in_batch == 1 {
            return self.waiting.pop_front().map(|request| request.carried);
        }
        self.waiting.iter_mut().take(in_batch).for_each(|request| request.alone = true);
        None
    }

    /// The device failed in the batch: gives back all requests that were in it.
    pub fn failed(&mut self) -> Vec<T> {
        let in_batch = std::mem::take(&mut self.under_way).len();
        self.waiting.drain(..in_batch).map(|request| request.carried).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(count: usize, length: usize) -> Vec<String> {
        vec!["x".repeat(length); count]
    }

    fn vectors(count: usize) -> Vec<Vec<f32>> {
        (0..count).map(|n| vec![n as f32]).collect()
    }

    #[test]
    fn small_requests_go_together_and_large_ones_in_parts() {
        let mut queue = EmbedQueue::new(4, 1_000);
        for (name, count) in [1, 2, 6].into_iter().enumerate() {
            queue.push(texts(count, 8), name);
        }
        let mut ended = Vec::new();
        let mut sizes = Vec::new();
        while let Some(batch) = queue.next_batch() {
            assert_eq!(queue.awaited(), batch.len());
            sizes.push(batch.len());
            ended.extend(queue.apply(vectors(batch.len())));
        }
        assert_eq!(sizes, [4, 4, 1]);
        let lengths: Vec<_> = ended.iter().map(|e| (e.carried, e.vectors.len())).collect();
        assert_eq!(lengths, [(0, 1), (1, 2), (2, 6)]);
        assert_eq!(ended[1].vectors, [[1.0], [2.0]], "each request gets its own vectors");
    }

    #[test]
    fn a_batch_keeps_to_the_tokens_and_a_longer_text_goes_by_itself() {
        let mut queue = EmbedQueue::new(9, 10);
        queue.push([texts(2, 16), texts(1, 400), texts(1, 4)].concat(), ());
        let sizes: Vec<usize> = std::iter::from_fn(|| {
            let batch = queue.next_batch()?;
            queue.apply(vectors(batch.len()));
            Some(batch.len())
        })
        .collect();
        assert_eq!(sizes, [2, 1, 1]);
    }

    #[test]
    fn who_is_at_fault_is_found_and_the_others_get_their_vectors() {
        let mut queue = EmbedQueue::new(9, 1_000);
        ["good", "bad", "fine"].into_iter().for_each(|name| queue.push(vec![name.into()], name));
        let (mut refused, mut done) = (Vec::new(), Vec::new());
        while let Some(batch) = queue.next_batch() {
            if batch.contains(&"bad".to_owned()) {
                refused.extend(queue.refused());
            } else {
                done.extend(queue.apply(vectors(batch.len())).into_iter().map(|e| e.carried));
            }
        }
        assert_eq!((refused, done), (vec!["bad"], vec!["good", "fine"]));
    }

    #[test]
    fn a_failure_takes_only_who_was_in_the_batch() {
        let mut queue = EmbedQueue::new(2, 1_000);
        (0..3).for_each(|name| queue.push(texts(1, 1), name));
        queue.next_batch().unwrap();
        assert_eq!(queue.failed(), [0, 1]);
        assert_eq!(queue.take_out(|_| true), [2]);
        assert!(queue.is_empty());
    }
}
