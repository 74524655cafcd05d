// The journal: each order with its verdict, in their sequence, appended to a file. What is durable
// there can be replayed: the books, the accounts and all outputs follow from it. README.md has the
// format.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_JOURNAL_H_
#define ISOLATES_EXAMPLES_EXCHANGE_JOURNAL_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "examples/exchange/order_flow.h"
#include "examples/exchange/risk_check.h"

namespace exchange {

inline constexpr std::size_t kJournalHeaderBytes = 32;
inline constexpr std::size_t kRecordBytes = 56;

struct JournalRecord {
  std::uint64_t sequence = 0;
  std::uint64_t chain = 0;  // the matching engine's, after this order
  Order order;

  friend bool operator==(const JournalRecord&, const JournalRecord&) = default;
};

// With its checksum.
void EncodeRecord(const JournalRecord& record, std::byte* to) noexcept;
// Nothing if the checksum does not fit.
std::optional<JournalRecord> DecodeRecord(const std::byte* from) noexcept;

// A journal that is not one of this exchange, or was written under other rules.
class JournalError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// What a journal may not differ in from the exchange that goes on with it.
struct JournalRules {
  std::uint16_t symbols = 0;
  RiskLimits limits;
};

struct JournalState {
  std::uint64_t records = 0;      // that are whole, from the first on
  std::uint64_t valid_bytes = 0;  // to their end; 0: not even the header is whole
  std::uint64_t torn_bytes = 0;   // behind it: a write that did not come to its end
};

// Reads all of it. Throws JournalError, std::system_error.
JournalState ScanJournal(const std::string& path, const JournalRules& rules);

// The records of a journal that was scanned, from the first on.
class JournalReader {
 public:
  // Throws std::system_error, as all here.
  explicit JournalReader(const std::string& path);
  JournalReader(const JournalReader&) = delete;
  JournalReader& operator=(const JournalReader&) = delete;
  ~JournalReader();

  // Nothing at the first that is not whole.
  std::optional<JournalRecord> Next();

 private:
  int fd_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t sequence_ = 0;
};

// The orders of a journal, as they came in.
class JournalSource final : public OrderSource {
 public:
  explicit JournalSource(const std::string& path) : reader_(path) {}
  bool Next(Order& order) override;

 private:
  JournalReader reader_;
};

// Appends to a journal. Without a path it forgets everything at once.
class JournalFile {
 public:
  // Cuts off what is behind the valid bytes of `state`; with none of these the file is made anew.
  // Throws std::system_error, as all here.
  JournalFile(const std::string& path, const JournalRules& rules, const JournalState& state);
  JournalFile(const JournalFile&) = delete;
  JournalFile& operator=(const JournalFile&) = delete;
  ~JournalFile();

  void Append(std::span<const std::byte> records);
  // All that was appended is on the disk (fdatasync).
  void Sync();

 private:
  int fd_ = -1;
};

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_JOURNAL_H_
