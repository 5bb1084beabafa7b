// A blocking queue for passing work between threads.
#include <condition_variable>
#include <iostream>
#include <mutex>
#include <optional>
#include <queue>
#include <thread>

template <typename T>
class BlockingQueue {
public:
    void push(T item) {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            items_.push(std::move(item));
        }
        ready_.notify_one();
    }

    void close() {
        {
            std::lock_guard<std::mutex> lock(mutex_);
            closed_ = true;
        }
        ready_.notify_all();
    }

    // Waits for an item; empty once the queue is closed and drained.
    std::optional<T> pop() {
        std::unique_lock<std::mutex> lock(mutex_);
        ready_.wait(lock, [this] { return closed_ || !items_.empty(); });
        if (items_.empty()) {
            return std::nullopt;
        }
        T item = std::move(items_.front());
        items_.pop();
        return item;
    }

private:
    std::mutex mutex_;
    std::condition_variable ready_;
    std::queue<T> items_;
    bool closed_ = false;
};

int main() {
    BlockingQueue<int> queue;
    std::thread consumer([&queue] {
        int sum = 0;
        while (auto item = queue.pop()) sum += *item;
        std::cout << "sum: " << sum << '\n';  // sum: 55
    });
    for (int i = 1; i <= 10; ++i) queue.push(i);
    queue.close();
    consumer.join();
}
