#include "isolates/detail/port_host.h"

#include <algorithm>
#include <utility>

#include "src/port/port_mailbox.h"
#include "src/port/producer.h"

namespace isolates::internal {

thread_local constinit PortHost* current_host = nullptr;

Producer& ProducerTable::For(PortCore& port, Ref<Producer> ready_made, Producer::Part part) {
  auto found = by_port_.find(port.id());
  if (found == by_port_.end()) {
    if (by_port_.size() >= prune_at_) Prune();
    auto producer =
        ready_made ? std::move(ready_made) : MakeRef<Producer>(port, port.mailbox_->queue, part);
    found = by_port_.emplace(port.id(), std::move(producer)).first;
  }
  return *found->second;
}

void ProducerTable::Prune() {
  std::erase_if(by_port_, [](const auto& entry) {
    const Producer& producer = *entry.second;
    // A message that is being built in its lane, by code that sends others, needs the lane after.
    return producer.port->closed() && !(producer.lane && producer.lane->lane.sending());
  });
  prune_at_ = std::max<std::size_t>(32, by_port_.size() * 2);
}

PortHost::PortHost(std::uint64_t id) : id_(id) {}

PortHost::~PortHost() { delete producers_; }

void PortHost::DropProducers() noexcept { delete std::exchange(producers_, nullptr); }

ProducerTable& PortHost::producers() {
  if (producers_ == nullptr) producers_ = new ProducerTable;
  return *producers_;
}

bool PortHost::Attend(PortCore& port) noexcept {
  if (port.in_attended_) return true;
  if (attended_count_ == kMostAttended) ForgetEnded();
  if (attended_count_ == kMostAttended) return false;
  ++attended_count_;
  port.in_attended_ = true;
  port.AddRef();
  port.next_attended_ = std::exchange(attended_, &port);
  return true;
}

void PortHost::ForgetEnded() noexcept {
  for (PortCore** at = &attended_; *at != nullptr;) {
    PortCore& port = **at;
    if (!port.ended()) {
      at = &port.next_attended_;
      continue;
    }
    *at = port.next_attended_;
    --attended_count_;
    port.in_attended_ = false;
    port.Release();
  }
}

void PortHost::LookAtAttended() noexcept {
  for (PortCore* port = attended_; port != nullptr; port = port->next_attended_) {
    if (port->attention_ == PortCore::Attention::kOwner && port->taken() && port->Ready()) {
      port->List();
    }
  }
}

void PortHost::StopAttending() noexcept {
  bool barrier = false;
  for (PortCore* port = attended_; port != nullptr; port = port->next_attended_) {
    if (port->attention_ != PortCore::Attention::kOwner) continue;
    if (port->LeaveToSenders()) barrier = true;
  }
  if (barrier) StdAtomics::HeavyBarrier();
  while (attended_ != nullptr) {
    const auto port = Ref<PortCore>::Adopt(attended_);
    attended_ = port->next_attended_;
    --attended_count_;
    port->in_attended_ = false;
    if (port->taken() && port->Ready()) port->List();
  }
}

void PortHost::TellFromNowOn() noexcept {
  for (const auto& port : open_ports_) port->TellFromNowOn();
  StopAttending();
}

void PortHost::ReservePort() {
  if (open_ports_.size() == open_ports_.capacity()) open_ports_.reserve(2 * open_ports_.size() + 1);
}

void PortHost::AddPort(HostedPort& port) noexcept {
  open_ports_.emplace_back(&port);
  port.index_in_host = open_ports_.size() - 1;
}

void PortHost::RemovePort(HostedPort& port) noexcept {
  const std::size_t index = port.index_in_host;
  const Ref<HostedPort> keep = std::move(open_ports_[index]);
  if (index + 1 != open_ports_.size()) {
    open_ports_[index] = std::move(open_ports_.back());
    open_ports_[index]->index_in_host = index;
  }
  open_ports_.pop_back();
}

std::vector<std::string> PortHost::DescribeKeepingPorts() const {
  std::vector<std::string> ports;
  for (const auto& port : open_ports_) {
    if (port->keeps_alive()) ports.push_back(port->Describe());
  }
  return ports;
}

void PortHost::CloseAllPorts() noexcept {
  while (!open_ports_.empty()) {
    const Ref<HostedPort> port = open_ports_.back();
    port->Close();
  }
}

}  // namespace isolates::internal
