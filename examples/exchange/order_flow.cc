#include "examples/exchange/order_flow.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <string_view>
#include <system_error>

#include "examples/exchange/wire.h"

namespace exchange {
namespace {

constexpr std::string_view kMagic = "ISOFLOW1";
constexpr std::size_t kBuffer = std::size_t{1} << 18;

[[noreturn]] void Fail(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int OpenForReading(const std::string& path) {
  if (path == "-") return STDIN_FILENO;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) Fail(path);
  return fd;
}

int OpenForWriting(const std::string& path) {
  if (path == "-") return STDOUT_FILENO;
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) Fail(path);
  return fd;
}

}  // namespace

void WriteAll(int fd, const std::byte* bytes, std::size_t size, const char* what) {
  while (size > 0) {
    const ssize_t written = write(fd, bytes, size);
    if (written < 0) {
      if (errno == EINTR) continue;
      Fail(what);
    }
    bytes += written;
    size -= static_cast<std::size_t>(written);
  }
}

void EncodeOrder(const Order& order, std::byte* to) noexcept {
  WireWriter(to)
      .Put(static_cast<std::uint8_t>(order.type))
      .Put(static_cast<std::uint8_t>(order.side))
      .Put(order.symbol)
      .Put(order.account)
      .Put(static_cast<std::uint16_t>(order.verdict))
      .Put(order.time)
      .Put(order.id)
      .Put(order.price)
      .Put(order.quantity);
}

Order DecodeOrder(const std::byte* from) noexcept {
  WireReader reader(from);
  Order order;
  order.type = static_cast<OrderType>(reader.Get<std::uint8_t>());
  order.side = static_cast<Side>(reader.Get<std::uint8_t>());
  order.symbol = reader.Get<std::uint16_t>();
  order.account = reader.Get<std::uint16_t>();
  order.verdict = static_cast<Verdict>(reader.Get<std::uint16_t>());
  order.time = reader.Get<std::uint64_t>();
  order.id = reader.Get<std::uint64_t>();
  order.price = reader.Get<std::uint32_t>();
  order.quantity = reader.Get<std::uint32_t>();
  return order;
}

// --- FlowReader

FlowReader::FlowReader(const std::string& path) : fd_(OpenForReading(path)), buffer_(kBuffer) {
  try {
    ReadHeader();
  } catch (...) {
    if (fd_ != STDIN_FILENO) close(fd_);
    throw;
  }
}
FlowReader::~FlowReader() {
  if (fd_ != STDIN_FILENO) close(fd_);
}

std::size_t FlowReader::Need(std::size_t bytes) {
  while (end_ - begin_ < bytes) {
    if (begin_ != 0) {
      std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
    const ssize_t got = read(fd_, buffer_.data() + end_, buffer_.size() - end_);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) Fail("reading the order flow");
    if (got == 0) break;
    end_ += static_cast<std::size_t>(got);
  }
  return std::min(bytes, end_ - begin_);
}

void FlowReader::ReadHeader() {
  if (const std::size_t got = Need(kFlowHeaderBytes); got < kFlowHeaderBytes) {
    throw FlowError(got, "the header ends early");
  }
  const std::byte* const at = buffer_.data();
  if (std::memcmp(at, kMagic.data(), kMagic.size()) != 0) {
    throw FlowError(0, "no order flow: it does not begin with ISOFLOW1");
  }
  WireReader reader(at + kMagic.size());
  if (const auto version = reader.Get<std::uint16_t>(); version != 1) {
    throw FlowError(8, "version " + std::to_string(version) + " is not known");
  }
  if (const auto size = reader.Get<std::uint16_t>(); size != kOrderBytes) {
    throw FlowError(10, "messages of " + std::to_string(size) + " bytes");
  }
  header_.symbols = reader.Get<std::uint16_t>();
  if (header_.symbols == 0 || header_.symbols > kMostSymbols) {
    throw FlowError(12, std::to_string(header_.symbols) + " symbols");
  }
  if (reader.Get<std::uint16_t>() != 0) throw FlowError(14, "reserved bytes are not 0");
  header_.orders = reader.Get<std::uint64_t>();
  if (reader.Get<std::uint64_t>() != 0) throw FlowError(24, "reserved bytes are not 0");
  begin_ = kFlowHeaderBytes;
  offset_ = kFlowHeaderBytes;
}

bool FlowReader::Next(Order& order) {
  const std::size_t got = Need(kOrderBytes);
  if (got == 0) {
    if (header_.orders != 0 && orders_ != header_.orders) {
      throw FlowError(offset_, "the flow ends after " + std::to_string(orders_) + " of " +
                                   std::to_string(header_.orders) + " orders");
    }
    return false;
  }
  if (got < kOrderBytes) throw FlowError(offset_ + got, "the flow ends within a message");
  order = DecodeOrder(buffer_.data() + begin_);
  Validate(order);
  last_time_ = order.time;
  begin_ += kOrderBytes;
  offset_ += kOrderBytes;
  ++orders_;
  return true;
}

void FlowReader::Validate(const Order& order) const {
  const auto fail = [this](std::uint64_t at, const std::string& what) {
    throw FlowError(offset_ + at, what);
  };
  const bool enters = order.type == OrderType::kAdd || order.type == OrderType::kMarket;
  const bool changes = order.type == OrderType::kCancel || order.type == OrderType::kReplace;
  if (!enters && !changes) {
    fail(0, "message type " + std::to_string(static_cast<unsigned>(order.type)));
  }
  if (order.side != Side::kBuy && order.side != Side::kSell) {
    fail(1, "side " + std::to_string(static_cast<unsigned>(order.side)));
  }
  if (order.symbol >= header_.symbols) {
    fail(2, "symbol " + std::to_string(order.symbol) + " of " + std::to_string(header_.symbols));
  }
  if (order.verdict != Verdict::kAccepted) fail(6, "reserved bytes are not 0");
  if (order.time < last_time_) fail(8, "the time goes back");
  if (order.id == 0) fail(16, "order number 0");
  const bool priced = order.type == OrderType::kAdd || order.type == OrderType::kReplace;
  if (!priced && order.price != 0) fail(24, "a price where none belongs");
  if (order.type == OrderType::kCancel ? order.quantity != 0 : order.quantity == 0) {
    fail(28, "quantity " + std::to_string(order.quantity));
  }
  if (header_.orders != 0 && orders_ == header_.orders) fail(0, "more orders than the header says");
}

// --- FlowWriter

FlowWriter::FlowWriter(const std::string& path, const FlowHeader& header)
    : fd_(OpenForWriting(path)) {
  buffer_.reserve(kBuffer);
  buffer_.resize(kFlowHeaderBytes);
  std::memcpy(buffer_.data(), kMagic.data(), kMagic.size());
  WireWriter(buffer_.data() + kMagic.size())
      .Put(std::uint16_t{1})
      .Put(static_cast<std::uint16_t>(kOrderBytes))
      .Put(header.symbols)
      .Put(std::uint16_t{0})
      .Put(header.orders)
      .Put(std::uint64_t{0});
}
FlowWriter::~FlowWriter() {
  if (fd_ != STDOUT_FILENO) close(fd_);
}

void FlowWriter::Write(const Order& order) {
  if (buffer_.size() + kOrderBytes > kBuffer) Flush();
  buffer_.resize(buffer_.size() + kOrderBytes);
  EncodeOrder(order, buffer_.data() + buffer_.size() - kOrderBytes);
}
void FlowWriter::Finish() { Flush(); }
void FlowWriter::Flush() {
  WriteAll(fd_, buffer_.data(), buffer_.size(), "writing the order flow");
  buffer_.clear();
}

}  // namespace exchange
