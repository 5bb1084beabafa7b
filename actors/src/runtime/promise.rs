//! A value that is being made: many may wait for it, and it breaks if its maker goes away.

use tokio::sync::watch;

/// The promised value will not come: whoever was making it is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("whoever was making it is gone")]
pub struct Broken;

/// The maker's side; dropping it unfulfilled breaks the promise.
#[derive(Debug)]
pub struct Promise<T>(watch::Sender<Option<T>>);

/// The waiting side; clones wait for the same value.
#[derive(Clone, Debug)]
pub struct Promised<T>(watch::Receiver<Option<T>>);

impl<T: Clone> Promise<T> {
    /// A promise and what it promises.
    #[must_use]
    pub fn new() -> (Self, Promised<T>) {
        let (sender, receiver) = watch::channel(None);
        (Self(sender), Promised(receiver))
    }

    /// Keeps the promise.
    pub fn fulfil(self, value: T) {
        self.0.send_replace(Some(value));
    }
}

impl<T: Clone> Promised<T> {
    /// A promise that is kept already.
    #[must_use]
    pub fn kept(value: T) -> Self {
        let (promise, promised) = Promise::new();
        promise.fulfil(value);
        promised
    }

    /// Waits for the value.
    ///
    /// # Errors
    /// [`Broken`] if its maker went away.
    pub async fn wait(&self) -> Result<T, Broken> {
        let mut receiver = self.0.clone();
        match receiver.wait_for(Option::is_some).await {
            Ok(value) => value.clone().ok_or(Broken),
            Err(_) => Err(Broken),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reaches_everyone_who_waits_even_after_its_maker_is_gone() {
        let (promise, promised) = Promise::new();
        let early = promised.clone();
        let both = futures_util::future::join(early.wait(), async { promise.fulfil(7) });
        assert_eq!(both.await.0, Ok(7));
        assert_eq!(promised.wait().await, Ok(7));
    }

    #[tokio::test]
    async fn breaks_when_its_maker_goes_away() {
        let (promise, promised) = Promise::<u8>::new();
        drop(promise);
        assert_eq!(promised.wait().await, Err(Broken));
    }
}
