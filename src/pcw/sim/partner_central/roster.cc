#include "pcw/sim/partner_central/roster.h"

#include <algorithm>
#include <set>
#include <utility>

#include "pcw/sim/draw.h"

namespace pcw::sim {

std::vector<std::uint64_t> DrawSome(std::vector<std::uint64_t> all, std::uint64_t count,
                                    std::uint64_t salt) {
  Draw draw(salt);
  const std::uint64_t size = std::min<std::uint64_t>(count, all.size());
  for (std::uint64_t i = 0; i < size; ++i) std::swap(all[i], all[i + draw.Below(all.size() - i)]);
  all.resize(size);
  std::sort(all.begin(), all.end());
  return all;
}

std::vector<Numbered> Roster::Live() const {
  std::vector<Numbered> live;
  for (std::uint64_t i = 0; i < entries_.size(); ++i) {
    if (!entries_[i].removed) live.push_back({i, entries_[i].revision});
  }
  return live;
}

std::vector<std::string> Roster::Apply(const ChangeOrder& order, const Naming& id_of) {
  std::vector<std::uint64_t> chosen;
  if (order.kind == ChangeOrder::Kind::kInsert) {
    for (std::uint64_t i = 0; i < order.count; ++i) chosen.push_back(entries_.size() + i);
    entries_.resize(entries_.size() + order.count);
  } else {
    std::vector<std::uint64_t> live;
    for (const Numbered& record : Live()) live.push_back(record.number);
    if (order.ids) {
      const std::set<std::string> wanted(order.ids->begin(), order.ids->end());
      std::copy_if(live.begin(), live.end(), std::back_inserter(chosen),
                   [&](std::uint64_t number) { return wanted.contains(id_of(number)); });
    } else {
      chosen = DrawSome(std::move(live), order.count, Mix(seed_, drawn_++));
    }
  }
  std::vector<std::string> ids;
  for (const std::uint64_t number : chosen) {
    Entry& entry = entries_[number];
    if (order.kind == ChangeOrder::Kind::kModify) ++entry.revision;
    if (order.kind == ChangeOrder::Kind::kRemove) entry.removed = true;
    ids.push_back(id_of(number));
  }
  return ids;
}

}  // namespace pcw::sim
