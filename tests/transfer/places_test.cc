// What an address is, in the words of a report.

#include "src/transfer/places.h"

#include <dlfcn.h>
#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "isolates/detail/threads.h"
#include "src/transfer/images.h"
#include "tests/transfer/transfer_test_util.h"

namespace isolates::internal {

int places_test_exported = 1;
int places_test_table[100] = {1};
const int places_test_constants[2] = {1, 2};
thread_local int places_test_local[4] = {1, 2, 3, 4};

namespace {

using testing::AnyOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

int hidden = 1;  // no symbol that a dynamic linker would know
thread_local int mine = 1;
thread_local std::string text_of_thread;

struct Registry {
  static int cache;
};
int Registry::cache = 1;

int* LocalStatic() {
  static int counter = 1;
  ++counter;
  return &counter;
}

class PlacesTest : public TransferHeapTest {
 protected:
  void SetUp() override { RegisterThisThread("parser"); }
  static std::string Text(const void* address) { return PlaceOf(address).text; }
};

TEST_F(PlacesTest, WritableStaticsAreNamed) {
  EXPECT_EQ(Text(&places_test_exported),
            "the writable static `isolates::internal::places_test_exported`");
  EXPECT_EQ(Text(&hidden), "the writable static `isolates::internal::hidden`");
  EXPECT_EQ(Text(&Registry::cache), "the writable static `isolates::internal::Registry::cache`");
  EXPECT_EQ(Text(LocalStatic()),
            "the writable static `isolates::internal::LocalStatic()::counter`");
  EXPECT_EQ(PlaceOf(&hidden).kind, PlaceKind::kWritableStatic);
}

TEST_F(PlacesTest, AnAddressWithinAVariableTellsTheDistance) {
  EXPECT_EQ(Text(&places_test_table[4]),
            "the writable static `isolates::internal::places_test_table` + 16");
}

TEST_F(PlacesTest, AStaticOfALibraryNamesTheLibrary) {
  // The program may hold a copy of std::cout (a relocation); errno's neighbours may not be used, so
  // take one that the C library writes to itself.
  EXPECT_THAT(Text(&std::cout), StartsWith("the writable static `std::cout`"));
  EXPECT_THAT(Text(&environ), HasSubstr("environ"));
}

TEST_F(PlacesTest, ConstantsAreNamed) {
  EXPECT_EQ(Text(&places_test_constants[1]),
            "the constant `isolates::internal::places_test_constants` + 4");
  EXPECT_EQ(Text("a literal"), "the constant data of the program");
  EXPECT_EQ(PlaceOf("a literal").kind, PlaceKind::kConstStatic);
}

TEST_F(PlacesTest, ThreadLocalsAreNamedOnTheMainThreadAndOnOthers) {
  EXPECT_EQ(Text(&mine), "the thread_local `isolates::internal::mine` of isolate 'parser'");
  EXPECT_EQ(Text(&places_test_local[2]),
            "the thread_local `isolates::internal::places_test_local` + 8 of isolate 'parser'");
  EXPECT_THAT(Text(&text_of_thread), HasSubstr("text_of_thread` of isolate 'parser'"));
  const int* const of_main = &mine;
  std::thread([of_main] {
    RegisterThisThread("feed");
    // It lies in the memory of the thread's stack, but is no part of it.
    EXPECT_TRUE(IsOnAnyStack(&mine));
    EXPECT_EQ(Text(&mine), "the thread_local `isolates::internal::mine` of isolate 'feed'");
    EXPECT_TRUE(IsThreadLocal(&mine));
    const int* const of_feed = &mine;
    EXPECT_EQ(Text(of_main), "the thread_local `isolates::internal::mine` of isolate 'parser'");
    EXPECT_TRUE(IsThreadLocal(of_main));
    std::thread([of_feed] {
      RegisterThisThread("third");
      EXPECT_EQ(Text(of_feed), "the thread_local `isolates::internal::mine` of isolate 'feed'");
      EXPECT_TRUE(IsOnAnyStack(of_feed));
    }).join();
  }).join();
}

TEST_F(PlacesTest, ThreadLocalsOfLibrariesAreThreadLocal) {
  EXPECT_TRUE(IsThreadLocal(&errno));
  EXPECT_EQ(PlaceOf(&errno).kind, PlaceKind::kThreadLocal);
  EXPECT_THAT(Text(&errno), EndsWith("of isolate 'parser'"));
}

TEST_F(PlacesTest, StacksAndHeapsAreNoThreadLocals) {
  const int local = 1;
  EXPECT_EQ(Text(&local), "the stack of isolate 'parser'");
  EXPECT_FALSE(IsThreadLocal(&local));
  const auto block = std::make_unique<int>(1);
  EXPECT_FALSE(IsThreadLocal(block.get()));
  EXPECT_FALSE(IsThreadLocal(nullptr));
  EXPECT_EQ(Text(block.get()), "the main heap");
  EXPECT_EQ(PlaceOf(block.get()).kind, PlaceKind::kMainHeap);
}

TEST_F(PlacesTest, HeapsAreNamedByTheirIsolate) {
  SKIP_ON_PLAIN_MALLOC();
  Heap* const feed = FreshHeap();
  feed->set_owner_name("feed");
  auto* const number = BuildIn(feed, [] { return 1; });
  EXPECT_EQ(Text(number), "the heap of isolate 'feed'");
  delete number;
  RetireHeap(feed);
}

TEST_F(PlacesTest, ForeignMemoryIsSaidToBeForeign) {
  const long page = sysconf(_SC_PAGESIZE);
  const auto bytes = static_cast<std::size_t>(page);
  void* const mapped =
      mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  ASSERT_NE(mapped, MAP_FAILED);
  if (allocator() == Allocator::kMimalloc) {
    EXPECT_THAT(Text(mapped), StartsWith("memory that belongs to no heap"));
  }
  munmap(mapped, bytes);
  EXPECT_EQ(Text(nullptr), "memory that is not mapped");
  std::FILE* const file = std::tmpfile();
  ASSERT_NE(file, nullptr);
  ASSERT_EQ(ftruncate(fileno(file), page), 0);
  void* const from_file = mmap(nullptr, bytes, PROT_READ, MAP_SHARED, fileno(file), 0);
  ASSERT_NE(from_file, MAP_FAILED);
  EXPECT_THAT(Text(from_file), StartsWith("the mapped file '"));
  munmap(from_file, bytes);
  std::fclose(file);
}

TEST_F(PlacesTest, ImagesAreFoundWithoutTheLoadersLock) {
  EXPECT_TRUE(IsInImage(&hidden));
  EXPECT_TRUE(IsInImage("a literal"));
  EXPECT_TRUE(IsInImage(reinterpret_cast<const void*>(&std::abort)));
  const int local = 1;
  EXPECT_FALSE(IsInImage(&local));
  EXPECT_FALSE(IsInImage(std::make_unique<int>(1).get()));
  EXPECT_FALSE(IsInImage(nullptr));
}

// A thread stands in the middle of the loader's lock; a walk with every kind of edge goes on. (If
// it did not, this would hang.)
TEST_F(PlacesTest, AnAcceptedWalkTakesNoLockOfTheLoader) {
  struct Edges {
    std::vector<std::unique_ptr<std::string>> owned;
    const char* literal = "a literal";
    const std::string* inside = nullptr;
  };
  struct Meeting {
    std::promise<void> locked;
    std::promise<void> verified;
  } meeting;
  std::thread verifier([&meeting] {
    Edges message;
    for (int i = 0; i < 100; ++i) {
      message.owned.push_back(std::make_unique<std::string>(LongText(100)));
    }
    message.inside = message.owned[50].get();
    const auto verify = [&message] { VerifyForSend(message, "message", VerifyLevel::kAlways); };
    verify();
    meeting.locked.get_future().wait();
    verify();
    meeting.verified.set_value();
  });
  dl_iterate_phdr(
      [](dl_phdr_info*, std::size_t, void* target) {
        auto& with = *static_cast<Meeting*>(target);
        with.locked.set_value();
        with.verified.get_future().wait();
        return 1;
      },
      &meeting);
  verifier.join();
}

TEST_F(PlacesTest, LibrariesThatCameLaterMayGo) {
  // One that the C library brings along and that nothing here needs.
  void* const library = dlopen("libresolv.so.2", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) GTEST_SKIP() << "no libresolv.so.2";
  const void* const function = dlsym(library, "ns_parse_ttl");
  ASSERT_NE(function, nullptr);
  EXPECT_TRUE(IsInImage(function));
  const auto images = LoadedImages();
  const auto at = reinterpret_cast<std::uintptr_t>(function);
  const auto image = std::find_if(images.begin(), images.end(),
                                  [at](const Image& one) { return one.HoldsStatic(at); });
  ASSERT_NE(image, images.end());
  if (!image->at_start) {
    EXPECT_FALSE(IsImmutableStatic(function, 1));
    EXPECT_EQ(PlaceOf(function).kind, PlaceKind::kLaterLibrary);
    EXPECT_THAT(Text(function), StartsWith("libresolv.so.2, a library that was loaded while"));
    std::pair<std::string, const void*> message("", function);
    EXPECT_THAT(Verify(message).violations,
                testing::ElementsAre(testing::Field(&Violation::hint, HasSubstr("unloaded"))));
  }
  dlclose(library);
}

TEST_F(PlacesTest, ThreadsWithoutIsolateAreCalledThreads) {
  std::promise<const int*> address;
  std::promise<void> done;
  std::thread other([&] {
    RegisterThisThread({});
    const int local = 1;
    EXPECT_EQ(Text(&local), "the stack of this thread");
    address.set_value(&local);
    done.get_future().wait();
  });
  EXPECT_EQ(Text(address.get_future().get()), "the stack of another thread");
  done.set_value();
  other.join();
}

TEST_F(PlacesTest, ImmutableIsWhatNobodyCanWrite) {
  EXPECT_TRUE(IsImmutableStatic(places_test_constants, sizeof(places_test_constants)));
  EXPECT_FALSE(IsImmutableStatic(&hidden, sizeof(hidden)));
  EXPECT_FALSE(IsImmutableStatic(places_test_constants, std::size_t{1} << 40));
  EXPECT_FALSE(IsImmutableStatic(nullptr, 1));
  const int local = 1;
  EXPECT_FALSE(IsImmutableStatic(&local, sizeof(local)));
}

}  // namespace
}  // namespace isolates::internal
