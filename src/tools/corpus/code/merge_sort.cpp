// Stable merge sort over a range of iterators.
#include <algorithm>
#include <functional>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

template <typename It, typename Less = std::less<>>
void merge_sort(It first, It last, Less less = {}) {
    const auto length = std::distance(first, last);
    if (length < 2) {
        return;
    }
    It middle = std::next(first, length / 2);
    merge_sort(first, middle, less);
    merge_sort(middle, last, less);

    std::vector<typename std::iterator_traits<It>::value_type> merged;
    merged.reserve(static_cast<std::size_t>(length));
    std::merge(first, middle, middle, last, std::back_inserter(merged), less);
    std::move(merged.begin(), merged.end(), first);
}

int main() {
    std::vector<std::string> words{"pear", "fig", "banana", "kiwi", "apple"};
    merge_sort(words.begin(), words.end(), [](const auto& a, const auto& b) {
        return a.size() < b.size();
    });
    for (const auto& word : words) {
        std::cout << word << ' ';
    }
    std::cout << '\n';  // fig pear kiwi apple banana
}
