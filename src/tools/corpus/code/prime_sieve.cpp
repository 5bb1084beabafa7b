// List the primes up to a limit with the sieve of Eratosthenes.
#include <cstddef>
#include <cstdlib>
#include <iostream>
#include <vector>

std::vector<std::size_t> primes_up_to(std::size_t limit) {
    std::vector<bool> composite(limit + 1, false);
    std::vector<std::size_t> primes;
    for (std::size_t n = 2; n <= limit; ++n) {
        if (composite[n]) {
            continue;
        }
        primes.push_back(n);
        if (n > limit / n) {
            continue;  // n * n lies beyond the limit
        }
        for (std::size_t multiple = n * n; multiple <= limit; multiple += n) {
            composite[multiple] = true;
        }
    }
    return primes;
}

int main(int argc, char** argv) {
    const std::size_t limit = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 50;
    for (const auto prime : primes_up_to(limit)) {
        std::cout << prime << '\n';
    }
}
