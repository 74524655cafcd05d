#include "examples/exchange/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

#include "examples/exchange/crc.h"
#include "examples/exchange/wire.h"

namespace exchange {
namespace {

constexpr std::string_view kMagic = "ISOJRNL1";
constexpr std::uint32_t kRecordMark = 0x4345524a;  // "JREC"
constexpr std::size_t kBuffer = kRecordBytes * 4096;

using Header = std::array<std::byte, kJournalHeaderBytes>;

[[noreturn]] void Fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

Header HeaderOf(const JournalRules& rules) {
  Header header{};
  std::memcpy(header.data(), kMagic.data(), kMagic.size());
  WireWriter(header.data() + kMagic.size())
      .Put(static_cast<std::uint16_t>(kRecordBytes))
      .Put(rules.symbols)
      .Put(rules.limits.order_quantity)
      .Put(rules.limits.open_quantity)
      .Put(rules.limits.open_notional);
  return header;
}

int Open(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) Fail(path);
  return fd;
}

// So many bytes, or all that are left.
std::size_t ReadAll(int fd, std::byte* to, std::size_t bytes) {
  std::size_t done = 0;
  while (done < bytes) {
    const ssize_t got = read(fd, to + done, bytes - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) Fail("reading the journal");
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

}  // namespace

void EncodeRecord(const JournalRecord& record, std::byte* to) noexcept {
  WireWriter(to + 4).Put(kRecordMark).Put(record.sequence).Put(record.chain);
  EncodeOrder(record.order, to + 24);
  WireWriter(to).Put(Crc32c(to + 4, kRecordBytes - 4));
}

std::optional<JournalRecord> DecodeRecord(const std::byte* from) noexcept {
  WireReader reader(from);
  const auto crc = reader.Get<std::uint32_t>();
  if (crc != Crc32c(from + 4, kRecordBytes - 4)) return std::nullopt;
  if (reader.Get<std::uint32_t>() != kRecordMark) return std::nullopt;
  JournalRecord record;
  record.sequence = reader.Get<std::uint64_t>();
  record.chain = reader.Get<std::uint64_t>();
  record.order = DecodeOrder(from + 24);
  return record;
}

JournalState ScanJournal(const std::string& path, const JournalRules& rules) {
  JournalState state;
  const int fd = Open(path);
  const off_t size = lseek(fd, 0, SEEK_END);
  lseek(fd, 0, SEEK_SET);
  Header header{};
  const std::size_t got = ReadAll(fd, header.data(), header.size());
  close(fd);
  const Header expected = HeaderOf(rules);
  if (std::memcmp(header.data(), expected.data(), got) != 0) {
    throw JournalError(path + ": no journal of an exchange with these symbols and limits");
  }
  if (got == header.size()) {
    JournalReader reader(path);
    while (reader.Next()) ++state.records;
    state.valid_bytes = kJournalHeaderBytes + state.records * kRecordBytes;
  }
  state.torn_bytes = static_cast<std::uint64_t>(size) - state.valid_bytes;
  return state;
}

// --- JournalReader

JournalReader::JournalReader(const std::string& path) : fd_(Open(path)), buffer_(kBuffer) {
  lseek(fd_, kJournalHeaderBytes, SEEK_SET);
}
JournalReader::~JournalReader() { close(fd_); }

std::optional<JournalRecord> JournalReader::Next() {
  if (begin_ == end_) {
    begin_ = 0;
    end_ = ReadAll(fd_, buffer_.data(), buffer_.size());
    end_ -= end_ % kRecordBytes;
  }
  if (begin_ == end_) return std::nullopt;
  const auto record = DecodeRecord(buffer_.data() + begin_);
  if (!record || record->sequence != sequence_ + 1) {
    end_ = begin_;
    return std::nullopt;
  }
  begin_ += kRecordBytes;
  ++sequence_;
  return record;
}

bool JournalSource::Next(Order& order) {
  const auto record = reader_.Next();
  if (!record) return false;
  order = record->order;
  order.verdict = Verdict::kAccepted;
  return true;
}

// --- JournalFile

JournalFile::JournalFile(const std::string& path, const JournalRules& rules,
                         const JournalState& state) {
  if (path.empty()) return;
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) Fail(path);
  fd_ = fd;
  try {
    if (ftruncate(fd, static_cast<off_t>(state.valid_bytes)) != 0) Fail(path);
    lseek(fd, 0, SEEK_END);
    if (state.valid_bytes == 0) {
      const Header header = HeaderOf(rules);
      WriteAll(fd, header.data(), header.size(), "writing the journal");
    }
    // The file itself is there from now on, not only what is in it.
    if (fsync(fd) != 0) Fail(path);
  } catch (...) {
    close(fd);
    throw;
  }
}
JournalFile::~JournalFile() {
  if (fd_ >= 0) close(fd_);
}

void JournalFile::Append(std::span<const std::byte> records) {
  if (fd_ >= 0) WriteAll(fd_, records.data(), records.size(), "writing the journal");
}
void JournalFile::Sync() {
  if (fd_ >= 0 && fdatasync(fd_) != 0) Fail("fdatasync of the journal");
}

}  // namespace exchange
