// How the process is succeeded, and how it succeeds another one.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "gateway/process/pid_file.hh"
#include "gateway/process/process.hh"

namespace gateway {

void Process::request_upgrade(Upgrade::Answer answer) {
  const auto refuse = [&](const std::string& why) { upgrade_->refuse(why, answer); };
  if (upgrade_->successor() != 0)
    return refuse(fmt::format("pid {} serves now", upgrade_->successor()));
  if (drain_->begun()) return refuse("the gateway is stopping");
  // Its end would be the container's, or whatever else lives below it.
  if (getpid() == 1) return refuse("this is process 1, whose end is that of all: start a new one");
  if (upgrade_->under_way()) return refuse("one is under way");
  if (upgrade_waits_) return refuse("one waits already");
  if (lineage_.handover && !lineage_.handover->is_main()) {
    // Only a signal comes here: the control socket is still the predecessor's, and so are answers.
    log_.info("upgrade: waits until this process has taken over itself");
    upgrade_waits_ = true;
    watch_waits_ |= reload_->is_under_way();  // which is not adopted any more
    reload_->refuse("an upgrade waits");
    return;
  }
  if (reload_->is_under_way()) return refuse("a reload is under way");
  reload_->refuse("an upgrade is under way");
  servers_service_->refuse("an upgrade is under way");
  upgrade_->request(config().upgrade.patience,
                    [this, answer = std::move(answer)](const Upgrade::Result& result) {
                      if (!result.done && !drain_->begun()) go_on();
                      if (answer) answer(result);
                    });
}

// No successor takes over.
void Process::go_on() {
  sockets_.set_tcp_again();  // a successor may have set what it wanted
  reload_->permit();
  servers_service_->permit();
  if (std::exchange(watch_waits_, false)) reload_->request();
}

// A successor reads the files anew.
void Process::reload_for_watch() {
  if (!upgrade_->under_way() && !upgrade_waits_) return reload_->request();
  watch_waits_ = true;
}

std::vector<Succeeded::Socket> Process::sockets() const {
  std::vector<Socket> all;
  const auto add = [&](const ListeningAddress& one) {
    for (const int descriptor : one.descriptors())
      all.push_back({one.address(), descriptor, one.is_ours_alone()});
  };
  sockets_.for_each(add);
  if (control_) add(control_->address());
  if (admin_) add(admin_->address());
  return all;
}

void Process::announce(pid_t successor) {
  if (pid_file_) pid_file_->leave_to_successor(true);
  manager_.hand_over(successor);
}

void Process::withdraw() {
  if (pid_file_) pid_file_->leave_to_successor(false);
  manager_.take_back("serving");
}

// The successor accepts: from here on this process serves only whom it has let in.
void Process::hand_over(pid_t successor, const std::vector<config::Address>& addresses) {
  handed_over_ = addresses;
  for (const config::Address& address : addresses) sockets_.hand_over(address);
  const auto leave_door = [&](auto& door) {
    const bool is_taken =
        std::ranges::find(addresses, door->address().address()) != addresses.end();
    is_taken ? door->hand_over() : door->close();
  };
  if (control_) leave_door(control_);
  if (admin_) leave_door(admin_);
  reload_->refuse(fmt::format("pid {} serves now", successor));
  server_drains_->refuse();
  servers_service_->refuse(fmt::format("pid {} serves now", successor));
  server_lists_->refuse();
  if (watch_) watch_->rest();
  config::DrainSettings settings = config().drain;
  settings.hard_stop -= std::exchange(settings.delay, settings.delay.zero());
  drain_->begin(settings);
}

// This process serves instead of its predecessor.
void Process::take_over() {
  sockets_.take_over();
  if (!drain_->begun()) begin_to_be_main();
  begin_waiting_upgrade();
}

// Once this process has taken over, and a reload that was begun before has ended.
void Process::begin_waiting_upgrade() {
  const bool may_begin = lineage_.handover && lineage_.handover->is_main();
  if (!upgrade_waits_ || !may_begin || reload_->is_under_way()) return;
  upgrade_waits_ = false;
  request_upgrade();
}

void Process::begin_to_be_main() {
  if (control_) control_->take_over();
  if (admin_) admin_->take_over();
  servers_service_->save();
  if (!config().pid_file.empty()) {
    auto written = PidFile::write(config().pid_file, config().account);
    if (written) pid_file_ = std::move(*written);
    if (!written) log_.error("{}", written.error());
  }
  if (watch_) watch_->start();
  watchdog_->start();
  manager_.ready("serving");
}

}  // namespace gateway
