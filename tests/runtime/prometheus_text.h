// A parser of Prometheus' text format 0.0.4 that refuses what a server could misread.

#ifndef ISOLATES_TESTS_RUNTIME_PROMETHEUS_TEXT_H_
#define ISOLATES_TESTS_RUNTIME_PROMETHEUS_TEXT_H_

#include <algorithm>
#include <cctype>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace isolates::prometheus {

using Labels = std::map<std::string, std::string>;

struct Sample {
  std::string name;
  Labels labels;
  double value = 0;
};

struct Family {
  std::string type;
  std::string help;
  std::vector<Sample> samples;

  // Of the one sample with that suffix and these labels; NaN: there is none.
  double Value(const std::string& name, const Labels& labels = {}) const {
    for (const Sample& sample : samples) {
      if (sample.name == name && sample.labels == labels) return sample.value;
    }
    return std::nan("");
  }
};

class Parser {
 public:
  // By their names. Throws std::runtime_error, which says the line.
  static std::map<std::string, Family> Parse(std::string_view text) { return Parser(text).Run(); }

 private:
  explicit Parser(std::string_view text) : text_(text) {}

  [[noreturn]] void Refuse(const std::string& why) const {
    throw std::runtime_error("line " + std::to_string(line_number_) + ": " + why);
  }

  std::map<std::string, Family> Run() {
    if (text_.empty() || text_.back() != '\n') Refuse("the last line has no end");
    while (!text_.empty()) {
      ++line_number_;
      const std::size_t end = text_.find('\n');
      rest_ = text_.substr(0, end);
      text_.remove_prefix(end + 1);
      if (rest_.empty()) continue;
      if (rest_.front() == '#') {
        ReadComment();
      } else {
        ReadSample();
      }
    }
    for (const auto& [name, family] : families_) CheckFamily(name, family);
    return families_;
  }

  std::string Word() {
    const std::size_t end = std::min(rest_.find(' '), rest_.size());
    std::string word(rest_.substr(0, end));
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    return word;
  }

  std::string Name(bool colons) {
    std::size_t length = 0;
    const auto fits = [&](char c) {
      return std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_' || (colons && c == ':') ||
             (length > 0 && std::isdigit(static_cast<unsigned char>(c)) != 0);
    };
    while (length < rest_.size() && fits(rest_[length])) ++length;
    if (length == 0) Refuse("a name is missing");
    std::string name(rest_.substr(0, length));
    rest_.remove_prefix(length);
    return name;
  }

  void ReadComment() {
    (void)Word();
    const std::string kind = Word();
    if (kind != "HELP" && kind != "TYPE") return;
    const std::string name = Name(/*colons=*/true);
    if (rest_.empty() || rest_.front() != ' ') Refuse("nothing behind the name");
    rest_.remove_prefix(1);
    if (kind == "HELP") {
      if (!helped_.insert(name).second) Refuse("a second HELP of " + name);
      families_[name].help = Unescape(rest_, /*label=*/false);
      return;
    }
    Family& family = families_[name];
    if (!family.type.empty()) Refuse("a second TYPE of " + name);
    if (!family.samples.empty()) Refuse("TYPE behind samples");
    static const std::set<std::string_view> kTypes = {"counter", "gauge", "histogram", "summary",
                                                      "untyped"};
    if (kTypes.count(rest_) == 0) Refuse("no type: " + std::string(rest_));
    family.type = rest_;
    Enter(name);
  }

  // The samples of a family stand together.
  void Enter(const std::string& name) {
    if (name == current_) return;
    if (!entered_.insert(name).second) Refuse("a second group of " + name);
    current_ = name;
  }

  std::string Unescape(std::string_view text, bool label) const {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\\') {
        plain += text[i];
        continue;
      }
      if (++i == text.size()) Refuse("an escape without end");
      if (text[i] == '\\') {
        plain += '\\';
      } else if (text[i] == 'n') {
        plain += '\n';
      } else if (label && text[i] == '"') {
        plain += '"';
      } else {
        Refuse("an escape that is none");
      }
    }
    return plain;
  }

  Labels ReadLabels() {
    Labels labels;
    if (rest_.empty() || rest_.front() != '{') return labels;
    rest_.remove_prefix(1);
    while (!rest_.empty() && rest_.front() != '}') {
      const std::string name = Name(/*colons=*/false);
      if (rest_.substr(0, 2) != "=\"") Refuse("a label without a value");
      rest_.remove_prefix(2);
      std::size_t end = 0;
      while (end < rest_.size() && rest_[end] != '"') end += rest_[end] == '\\' ? 2 : 1;
      if (end >= rest_.size()) Refuse("a value of a label without end");
      if (!labels.emplace(name, Unescape(rest_.substr(0, end), /*label=*/true)).second) {
        Refuse("a label twice");
      }
      rest_.remove_prefix(end + 1);
      if (!rest_.empty() && rest_.front() == ',') {
        rest_.remove_prefix(1);
      } else if (rest_.empty() || rest_.front() != '}') {
        Refuse("labels without end");
      }
    }
    if (rest_.empty()) Refuse("labels without end");
    rest_.remove_prefix(1);
    return labels;
  }

  double Number(const std::string& word) const {
    if (word == "+Inf") return std::numeric_limits<double>::infinity();
    if (word == "-Inf") return -std::numeric_limits<double>::infinity();
    if (word == "NaN") return std::nan("");
    char* end = nullptr;
    const double value = std::strtod(word.c_str(), &end);
    if (word.empty() || *end != '\0' || std::isfinite(value) == 0) Refuse("no number: " + word);
    return value;
  }

  std::string FamilyOf(const std::string& sample) const {
    for (const char* const suffix : {"_bucket", "_sum", "_count"}) {
      const std::string_view end(suffix);
      if (sample.size() <= end.size() || !std::string_view(sample).ends_with(end)) continue;
      const std::string stem = sample.substr(0, sample.size() - end.size());
      const auto family = families_.find(stem);
      if (family != families_.end() && family->second.type == "histogram") return stem;
    }
    return sample;
  }

  void ReadSample() {
    Sample sample;
    sample.name = Name(/*colons=*/true);
    sample.labels = ReadLabels();
    if (rest_.empty() || rest_.front() != ' ') Refuse("a sample without a value");
    rest_.remove_prefix(1);
    sample.value = Number(Word());
    if (!rest_.empty()) Refuse("something behind the value");
    const std::string name = FamilyOf(sample.name);
    const auto family = families_.find(name);
    if (family == families_.end() || family->second.type.empty()) Refuse("no TYPE of " + name);
    Enter(name);
    const auto same = [&](const Sample& other) {
      return other.name == sample.name && other.labels == sample.labels;
    };
    auto& samples = family->second.samples;
    if (std::any_of(samples.begin(), samples.end(), same)) Refuse("a sample twice");
    samples.push_back(std::move(sample));
  }

  void CheckFamily(const std::string& name, const Family& family) const {
    if (family.type == "counter") {
      if (!name.ends_with("_total")) Refuse("a counter that is not named so: " + name);
      for (const Sample& sample : family.samples) {
        if (sample.value < 0) Refuse("a counter below zero: " + name);
      }
    }
    if (family.type != "histogram") return;
    std::map<Labels, std::map<double, double>> buckets;
    for (const Sample& sample : family.samples) {
      if (sample.name != name + "_bucket") continue;
      Labels labels = sample.labels;
      if (labels.count("le") == 0) Refuse("a bucket without le");
      const double bound = Number(labels["le"]);
      labels.erase("le");
      buckets[labels][bound] = sample.value;
    }
    for (const auto& [labels, bounds] : buckets) {
      if (!std::isinf(bounds.rbegin()->first)) Refuse("no bucket +Inf: " + name);
      double before = 0;
      for (const auto& [bound, count] : bounds) {
        if (count < before) Refuse("buckets are not cumulative: " + name);
        before = count;
      }
      if (family.Value(name + "_count", labels) != before) Refuse("_count is not +Inf: " + name);
      if (std::isnan(family.Value(name + "_sum", labels))) Refuse("no _sum: " + name);
    }
    for (const Sample& sample : family.samples) {
      if (sample.name != name + "_bucket" && buckets.count(sample.labels) == 0) {
        Refuse("no buckets: " + name);
      }
    }
  }

  std::string_view text_;
  std::string_view rest_;  // of the line
  int line_number_ = 0;
  std::map<std::string, Family> families_;
  std::set<std::string> helped_;
  std::set<std::string> entered_;
  std::string current_;
};

}  // namespace isolates::prometheus

#endif  // ISOLATES_TESTS_RUNTIME_PROMETHEUS_TEXT_H_
