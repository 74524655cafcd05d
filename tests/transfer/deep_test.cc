// Rule V6: deep graphs do not touch the limit of the stack, and paths stay readable.

#include <pthread.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "tests/transfer/transfer_test_util.h"

namespace isolates::internal {
namespace {

struct Link {
  int number = 0;
  std::unique_ptr<Link> next;
};
struct ViewLink {
  std::unique_ptr<ViewLink> next;
  const int* view = nullptr;
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kLinks = 1'000'000;
#else
constexpr std::size_t kLinks = 10'000'000;
#endif

// The destructor of such a list is as deep as the list: the tests take it apart from the front.
template <class L>
void TakeApart(std::unique_ptr<L> list) {
  while (list != nullptr) list = std::move(list->next);
}

// Runs with little stack.
void RunWithStack(std::size_t bytes, std::function<void()> function) {
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, bytes);
  pthread_t thread;
  ASSERT_EQ(pthread_create(
                &thread, &attributes,
                [](void* argument) -> void* {
                  (*static_cast<std::function<void()>*>(argument))();
                  return nullptr;
                },
                &function),
            0);
  pthread_join(thread, nullptr);
  pthread_attr_destroy(&attributes);
}

TEST(DeepTest, AListOfMillionsIsWalkedWithLittleStack) {
  RunWithStack(512 * 1024, [] {
    std::unique_ptr<Link> list;
    for (std::size_t i = 0; i < kLinks; ++i) {
      auto link = std::make_unique<Link>();
      link->next = std::move(list);
      list = std::move(link);
    }
    const VerifyReport report = Verify(list);
    EXPECT_TRUE(report.ok());
    EXPECT_EQ(report.blocks, kLinks);
    EXPECT_EQ(report.bytes, kLinks * sizeof(Link));
    TakeApart(std::move(list));
  });
}

TEST(DeepTest, AViolationFarDownIsFoundAndItsPathIsElided) {
  RunWithStack(512 * 1024, [] {
    const int local = 1;
    std::unique_ptr<ViewLink> list;
    for (std::size_t i = 0; i < kLinks / 10; ++i) {
      auto link = std::make_unique<ViewLink>();
      if (i == 1) link->view = &local;
      link->next = std::move(list);
      list = std::move(link);
    }
    const VerifyReport report = Verify(list, "result");
    ASSERT_EQ(report.violations.size(), 1U);
    const std::string& path = report.violations[0].path;
    EXPECT_THAT(path, testing::StartsWith("result.next.next."));
    EXPECT_THAT(path, testing::HasSubstr(" ... "));
    EXPECT_THAT(path, testing::EndsWith(".next.view"));
    EXPECT_LT(path.size(), 300U);
    TakeApart(std::move(list));
  });
}

struct Tree {
  std::string name;
  std::vector<Tree> children;
};

TEST(DeepTest, WideAndDeepTreesAreCountedOnce) {
  Tree root;
  Tree* at = &root;
  std::size_t blocks = 0;
  for (int depth = 0; depth < 1000; ++depth) {
    at->children.resize(4);
    ++blocks;
    for (Tree& child : at->children) child.name = kLongText;
    blocks += 4;
    at = &at->children[static_cast<std::size_t>(depth) % 4];
  }
  EXPECT_EQ(Verify(root).blocks, blocks);
}

TEST(DeepTest, DeferredPartsKeepTheirPaths) {
  const int local = 1;
  struct Node {
    std::vector<Node> children;
    const int* view = nullptr;
  };
  Node root;
  Node* at = &root;
  std::string path = "value";
  for (int depth = 0; depth < 140; ++depth) {
    at->children.resize(2);
    at = &at->children[1];
  }
  at->view = &local;
  root.children[0].view = &local;
  const VerifyReport report = Verify(root);
  ASSERT_EQ(report.violations.size(), 2U);
  EXPECT_EQ(report.violations[0].path, "value.children[0].view");
  EXPECT_THAT(report.violations[1].path, testing::EndsWith(".children[1].children[1].view"));
}

}  // namespace
}  // namespace isolates::internal
