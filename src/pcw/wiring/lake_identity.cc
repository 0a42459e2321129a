#include "pcw/wiring/lake_identity.h"

#include <array>
#include <filesystem>

#include <fmt/format.h>
#include <unistd.h>

#include "pcw/base/file.h"
#include "pcw/base/uuid.h"
#include "pcw/wiring/tenants.h"

namespace pcw::wiring {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kFileScheme = "file://";
constexpr std::size_t kMostIdentityBytes = 1024;

std::string MachineName() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "this host";
}

fs::path MarkerIn(const std::string& location) {
  return fs::path(location.substr(kFileScheme.size())) / ".lake-id";
}

Result<std::string> ReadMarker(const fs::path& marker) {
  Result<std::string> text = ReadFile(marker, kMostIdentityBytes);
  if (!text && text.error().code() == ErrorCode::kNotFound) return std::string();
  if (!text) return text;
  while (!text->empty() && text->back() == '\n') text->pop_back();
  return text;
}

// Of several that mark a new lake at once one wins, and all read what it wrote.
Result<std::string> Mark(const fs::path& marker, Machine& machine) {
  const Status written = WriteFileDurably(
      marker, MakeUuidV7(machine.clock.Now(), machine.rng) + "\n", IfExists::kFail);
  if (!written && written.error().code() != ErrorCode::kConflict) return written.error();
  return ReadMarker(marker);
}

}  // namespace

Result<LakeIdentity> FindLakeIdentity(const config::Config& config,
                                      const std::map<std::string, std::string>& environment) {
  const std::string location = LakeLocation(config, environment);
  if (!location.starts_with(kFileScheme)) return LakeIdentity{.id = location, .location = location};
  PCW_TRY(std::string id, ReadMarker(MarkerIn(location)));
  return LakeIdentity{.id = std::move(id),
                      .location = fmt::format("{} on {}", location, MachineName())};
}

Status ConfirmLake(pg::Connection& connection, const config::Config& config,
                   const std::map<std::string, std::string>& environment, OtherLake other,
                   Machine& machine, std::stop_token stop) {
  PCW_TRY(LakeIdentity found, FindLakeIdentity(config, environment));
  const auto ask = [&](const std::optional<std::string>& id) {
    return identity::TenantLake(
        connection, id, found.location,
        other == OtherLake::kAccept ? identity::WhenOther::kReplace : identity::WhenOther::kKeep,
        stop);
  };
  PCW_TRY(identity::KnownLake known, ask(std::nullopt));
  const bool is_known = known.id.has_value();
  if (!is_known || other == OtherLake::kAccept) {
    if (found.id.empty()) {
      // Before directories are made below it, as open as the umask lets them be.
      if (config.lake.url.empty()) PCW_TRY_OK(config::MakeHome(config::HomeDirectory(environment)));
      PCW_TRY(found.id, Mark(MarkerIn(LakeLocation(config, environment)), machine));
    }
    PCW_TRY(known, ask(found.id));
  }
  if (known.id == found.id) return Ok{};
  return Error(
      ErrorCode::kConfig,
      fmt::format("lake.url: the bronze of this database lies in {}, and {} is another "
                  "lake: bronze would be split between them. Set lake.url to one that all "
                  "machines share (s3://... or a mounted directory); if the lake was moved "
                  "here as a whole, say so: pcw db lake --accept",
                  known.seen_at, found.location));
}

}  // namespace pcw::wiring
