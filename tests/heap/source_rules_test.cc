// Rules of the heap room that only a look at the sources can enforce (H4, H8).

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "gtest/gtest.h"

namespace {

class SourceRulesTest : public testing::Test {
 protected:
  void SetUp() override {
    for (const auto& entry : std::filesystem::directory_iterator("src/heap")) {
      const std::string extension = entry.path().extension().string();
      if (extension == ".cc" || extension == ".h") {
        std::ostringstream text;
        text << std::ifstream(entry.path()).rdbuf();
        sources_[entry.path().filename().string()] = text.str();
      }
    }
    ASSERT_EQ(sources_.count("backend_mimalloc.cc"), 1U) << "run by bazel, from the workspace root";
  }

  // File -> number of occurrences, without the files that have none.
  std::map<std::string, int> Occurrences(const std::string& text) const {
    std::map<std::string, int> result;
    for (const auto& [name, source] : sources_) {
      for (std::size_t at = source.find(text); at != std::string::npos;
           at = source.find(text, at + 1)) {
        ++result[name];
      }
    }
    return result;
  }

  std::map<std::string, std::string> sources_;
};

using Where = std::map<std::string, int>;

TEST_F(SourceRulesTest, HeapsAreNeverMerged) { EXPECT_EQ(Occurrences("mi_heap_delete"), Where()); }

TEST_F(SourceRulesTest, HeapDestroyHasOneCaller) {
  EXPECT_EQ(Occurrences("mi_heap_destroy"), (Where{{"backend_mimalloc.cc", 1}}));
  EXPECT_EQ(Occurrences("backend::HeapDestroy("), (Where{{"heap_book.cc", 1}}));
  EXPECT_EQ(Occurrences(".Destroy("), (Where{{"heap.cc", 1}}));
}

TEST_F(SourceRulesTest, OnlyTheBackEndKnowsTheAllocator) {
  EXPECT_EQ(Occurrences("#include <mimalloc"), (Where{{"backend_mimalloc.cc", 2}}));  // and stats
  EXPECT_EQ(Occurrences(" mi_").count("heap_book.cc"), 0U);
}

}  // namespace
