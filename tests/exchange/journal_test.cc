// The journal: what was written is read again, and a write that did not come to its end is cut off.

#include "examples/exchange/journal.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "examples/exchange/crc.h"

namespace exchange {
namespace {

constexpr std::uint64_t kRecords = 5;
const JournalRules kRules{.symbols = 3, .limits = {}};

std::string PathOf(const std::string& name) { return testing::TempDir() + name; }

JournalRecord RecordOf(std::uint64_t sequence) {
  return {sequence, sequence * 77, {.time = sequence, .id = sequence, .price = 3, .quantity = 4}};
}
void Append(JournalFile& file, std::uint64_t first, std::uint64_t last) {
  std::vector<std::byte> bytes;
  for (std::uint64_t i = first; i <= last; ++i) {
    bytes.resize(bytes.size() + kRecordBytes);
    EncodeRecord(RecordOf(i), bytes.data() + bytes.size() - kRecordBytes);
  }
  file.Append(bytes);
  file.Sync();
}
std::string Bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void Write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}
std::string WholeJournal() {
  const std::string path = PathOf("journal");
  std::remove(path.c_str());
  JournalFile file(path, kRules, {});
  Append(file, 1, kRecords);
  return Bytes(path);
}
std::uint64_t CountRecords(const std::string& path) {
  JournalReader reader(path);
  std::uint64_t count = 0;
  while (const auto record = reader.Next()) EXPECT_EQ(*record, RecordOf(++count));
  return count;
}

TEST(CrcTest, IsTheKnownOne) {
  const std::string_view digits = "123456789";
  EXPECT_EQ(Crc32c(reinterpret_cast<const std::byte*>(digits.data()), digits.size()), 0xe3069283U);
}

TEST(JournalTest, TornAtEachByteItKeepsAllWholeRecordsAndGoesOn) {
  const std::string whole = WholeJournal();
  ASSERT_EQ(whole.size(), kJournalHeaderBytes + kRecords * kRecordBytes);
  const std::string path = PathOf("torn");
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    SCOPED_TRACE(size);
    Write(path, whole.substr(0, size));
    const JournalState state = ScanJournal(path, kRules);
    const std::uint64_t records =
        size < kJournalHeaderBytes ? 0 : (size - kJournalHeaderBytes) / kRecordBytes;
    EXPECT_EQ(state.records, records);
    EXPECT_EQ(state.valid_bytes + state.torn_bytes, size);
    {
      JournalFile file(path, kRules, state);
      Append(file, records + 1, kRecords);
    }
    ASSERT_EQ(Bytes(path), whole);
  }
}

TEST(JournalTest, AChangedByteEndsIt) {
  const std::string whole = WholeJournal();
  const std::string path = PathOf("changed");
  for (std::size_t at = kJournalHeaderBytes; at < whole.size(); ++at) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    Write(path, bytes);
    EXPECT_EQ(CountRecords(path), (at - kJournalHeaderBytes) / kRecordBytes);
  }
}

TEST(JournalTest, ARecordThatIsMissingEndsIt) {
  std::string bytes = WholeJournal();
  bytes.erase(kJournalHeaderBytes + kRecordBytes, kRecordBytes);
  const std::string path = PathOf("missing");
  Write(path, bytes);
  EXPECT_EQ(CountRecords(path), 1U);
}

TEST(JournalTest, OfOtherRulesIsRefused) {
  const std::string path = PathOf("rules");
  Write(path, WholeJournal());
  EXPECT_THROW(ScanJournal(path, {.symbols = 4, .limits = {}}), JournalError);
  EXPECT_THROW(ScanJournal(path, {.symbols = 3, .limits = {.order_quantity = 1}}), JournalError);
  Write(path, "something else");
  EXPECT_THROW(ScanJournal(path, kRules), JournalError);
}

}  // namespace
}  // namespace exchange
