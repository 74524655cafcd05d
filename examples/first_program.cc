#include <algorithm>
#include <iostream>
#include <stdexcept>
#include <string>
#include <vector>

#include "isolates/isolates.h"

std::vector<std::string> FindWords(const std::string& text) {
  std::vector<std::string> words;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

int main() {
  auto words = isolates::Isolate::Run(FindWords, std::string("build here, read there"));
  for (const auto& word : words.Get()) std::cout << word << '\n';

  auto failing = isolates::Isolate::Run([]() -> int { throw std::runtime_error("no luck"); });
  try {
    failing.Get();
  } catch (const isolates::RemoteError& error) {
    std::cout << error.what() << '\n';
  }
}
