# A decorator that retries a function with exponential backoff.
import functools
import time


def retry(attempts=3, delay=0.5, factor=2.0, errors=(OSError,)):
    """Call the function up to `attempts` times, waiting longer after each failure."""

    def decorate(func):
        @functools.wraps(func)
        def wrapper(*args, **kwargs):
            wait = delay
            for attempt in range(1, attempts + 1):
                try:
                    return func(*args, **kwargs)
                except errors:
                    if attempt == attempts:
                        raise
                    time.sleep(wait)
                    wait *= factor

        return wrapper

    return decorate


if __name__ == "__main__":
    calls = 0

    @retry(attempts=4, delay=0.01)
    def flaky():
        global calls
        calls += 1
        if calls < 3:
            raise ConnectionError("not yet")
        return "ok"

    print(flaky(), "after", calls, "calls")
