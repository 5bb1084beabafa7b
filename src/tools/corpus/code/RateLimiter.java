// A token bucket: allows short bursts but limits the average rate.
import java.util.function.LongSupplier;

public class RateLimiter {
    private final double capacity;
    private final double tokensPerNano;
    private final LongSupplier clock;
    private double tokens;
    private long last;

    public RateLimiter(int burst, double perSecond, LongSupplier nanoClock) {
        this.capacity = burst;
        this.tokensPerNano = perSecond / 1e9;
        this.clock = nanoClock;
        this.tokens = burst;
        this.last = nanoClock.getAsLong();
    }

    public synchronized boolean tryAcquire() {
        long now = clock.getAsLong();
        tokens = Math.min(capacity, tokens + (now - last) * tokensPerNano);
        last = now;
        if (tokens < 1) {
            return false;
        }
        tokens -= 1;
        return true;
    }

    public static void main(String[] args) {
        RateLimiter limiter = new RateLimiter(3, 1.0, System::nanoTime);
        for (int i = 1; i <= 5; i++) {
            System.out.println("request " + i + ": " + (limiter.tryAcquire() ? "ok" : "wait"));
        }
    }
}
