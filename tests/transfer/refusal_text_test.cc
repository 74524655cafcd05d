// The words of refusals: short type names, and the compiler's text at run time.

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "isolates/transfer.h"
#include "src/transfer/report.h"

namespace isolates::internal {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

struct Account {
  std::string owner;
  std::mutex lock;
};
struct Bank {
  std::vector<Account> accounts;
};
template <class T>
class Hidden {
 public:
  explicit Hidden(T value) : value_(value) {}
  T value() const { return value_; }

 private:
  T value_;
};

static_assert(TransferRefusal<int>().empty());
static_assert(TransferRefusal<const std::vector<std::string>>().empty());
static_assert(TransferRefusal<const char*>().empty());
static_assert(!TransferRefusal<Bank>().empty());

TEST(RefusalTextTest, TheCompilersTextNamesThePathTheTypeAndTheRemedy) {
  EXPECT_THAT(std::string(TransferRefusal<Bank>()),
              AllOf(StartsWith("Bank.accounts[].lock: std::mutex is "), HasSubstr("; remedy: ")));
  EXPECT_EQ(TransferRefusal<const Bank>(), TransferRefusal<Bank>());
}

TEST(RefusalTextTest, TypesAreWrittenAsInTheSource) {
  EXPECT_THAT(std::string(TransferRefusal<std::vector<Hidden<std::string>>>()),
              HasSubstr("Hidden<std::string> has members"));
  EXPECT_EQ(PrettyTypeName("std::__cxx11::basic_string<char>"), "std::string");
  EXPECT_EQ(PrettyTypeName("std::vector<std::__cxx11::basic_string<char> >"),
            "std::vector<std::string>");
  EXPECT_EQ(PrettyTypeName("std::vector<{anonymous}::Row>"), "std::vector<Row>");
  EXPECT_EQ(PrettyTypeName("std::vector<int, std::pmr::polymorphic_allocator<int> >"),
            "std::pmr::vector<int>");
  EXPECT_EQ(PrettyTypeName("MyVector<int, std::pmr::polymorphic_allocator<int> >"),
            "MyVector<int, std::pmr::polymorphic_allocator<int>>");
}

TEST(RefusalTextTest, LongTypeNamesAreCut) {
  using Deep = Hidden<Hidden<Hidden<Hidden<Hidden<Hidden<Hidden<Hidden<Hidden<int>>>>>>>>>;
  const std::string text(TransferRefusal<Hidden<Hidden<Hidden<Deep>>>>());
  EXPECT_THAT(text, HasSubstr("... has members"));
}

}  // namespace
}  // namespace isolates::internal
