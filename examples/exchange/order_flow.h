// The order flow: what comes into the exchange, as a binary file or through a pipe. README.md has
// the format.

#ifndef ISOLATES_EXAMPLES_EXCHANGE_ORDER_FLOW_H_
#define ISOLATES_EXAMPLES_EXCHANGE_ORDER_FLOW_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace exchange {

enum class OrderType : std::uint8_t {
  kAdd = 'A',      // a limit order
  kMarket = 'M',   // trades at once what it can; the rest expires
  kCancel = 'C',   // takes an order out of the book
  kReplace = 'U',  // gives an order another price and quantity
  kEnd = 'Z',      // the flow is over; only inside of the exchange
};
enum class Side : std::uint8_t { kBuy = 'B', kSell = 'S' };

// Why an order was not accepted; 0 in an order flow.
enum class Verdict : std::uint16_t {
  kAccepted = 0,
  // of the risk check
  kOrderTooLarge,
  kPriceOutOfBand,
  kTooMuchOpen,      // quantity
  kTooMuchNotional,  // price times quantity
  // of the matching engine
  kUnknownOrder,
  kDuplicateOrder,
  kBookFull,
};

struct Order {
  OrderType type = OrderType::kAdd;
  Side side = Side::kBuy;  // of adds and market orders
  std::uint16_t symbol = 0;
  std::uint16_t account = 0;
  Verdict verdict = Verdict::kAccepted;
  std::uint64_t time = 0;      // of sending, as intended; nanoseconds from the start of the flow
  std::uint64_t id = 0;        // chosen by the sender
  std::uint32_t price = 0;     // in ticks, of adds and replaces
  std::uint32_t quantity = 0;  // of a replace: what is to be open from now on

  friend bool operator==(const Order&, const Order&) = default;
};
static_assert(sizeof(Order) == 32);

inline constexpr std::size_t kOrderBytes = 32;
inline constexpr std::size_t kFlowHeaderBytes = 32;
inline constexpr std::uint16_t kMostSymbols = 256;
// Prices are from 1 to kPrices - 1 ticks.
inline constexpr std::uint32_t kPrices = 1U << 16;

void EncodeOrder(const Order& order, std::byte* to) noexcept;
// As it stands there, valid or not.
Order DecodeOrder(const std::byte* from) noexcept;

struct FlowHeader {
  std::uint16_t symbols = 0;
  std::uint64_t orders = 0;  // 0: not known, as from a pipe
};

// What cannot be read as an order flow; says at which byte.
class FlowError : public std::runtime_error {
 public:
  FlowError(std::uint64_t offset, const std::string& what)
      : std::runtime_error("byte " + std::to_string(offset) + ": " + what), offset_(offset) {}
  std::uint64_t offset() const noexcept { return offset_; }

 private:
  std::uint64_t offset_;
};

// Where orders come from.
class OrderSource {
 public:
  OrderSource() = default;
  OrderSource(const OrderSource&) = delete;
  OrderSource& operator=(const OrderSource&) = delete;
  virtual ~OrderSource() = default;
  // False at the end. Throws FlowError, std::system_error.
  virtual bool Next(Order& order) = 0;
};

// Reads a file, or what is open as a descriptor. Allocates only at the start.
class FlowReader final : public OrderSource {
 public:
  // Throws FlowError, std::system_error. "-": standard input.
  explicit FlowReader(const std::string& path);
  ~FlowReader() override;

  const FlowHeader& header() const noexcept { return header_; }
  bool Next(Order& order) override;

 private:
  // So many bytes, or all that are left.
  std::size_t Need(std::size_t bytes);
  void ReadHeader();
  void Validate(const Order& order) const;

  int fd_;
  FlowHeader header_;
  std::vector<std::byte> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::uint64_t offset_ = 0;  // of begin_, from the start of the flow
  std::uint64_t orders_ = 0;
  std::uint64_t last_time_ = 0;
};

// Writes a flow to a file that is made anew, or to standard output ("-").
class FlowWriter {
 public:
  // Throws std::system_error, as all here.
  FlowWriter(const std::string& path, const FlowHeader& header);
  FlowWriter(const FlowWriter&) = delete;
  FlowWriter& operator=(const FlowWriter&) = delete;
  ~FlowWriter();

  void Write(const Order& order);
  // Nothing may be written afterwards. Without it the end may be missing.
  void Finish();

 private:
  void Flush();

  int fd_;
  std::vector<std::byte> buffer_;
};

// All of them, or std::system_error that names `what`.
void WriteAll(int fd, const std::byte* bytes, std::size_t size, const char* what);

}  // namespace exchange

#endif  // ISOLATES_EXAMPLES_EXCHANGE_ORDER_FLOW_H_
