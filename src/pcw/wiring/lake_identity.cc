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

fs::path MarkerIn(const std::string& place) {
  return fs::path(place.substr(kFileScheme.size())) / ".lake-id";
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
  const std::string place = LakePlace(config, environment);
  if (!place.starts_with(kFileScheme)) return LakeIdentity{.id = place, .place = place};
  PCW_TRY(std::string id, ReadMarker(MarkerIn(place)));
  return LakeIdentity{.id = std::move(id), .place = fmt::format("{} on {}", place, MachineName())};
}

Status ConfirmLake(pg::Connection& connection, const config::Config& config,
                   const std::map<std::string, std::string>& environment, OtherLake other,
                   Machine& machine, std::stop_token stop) {
  PCW_TRY(LakeIdentity found, FindLakeIdentity(config, environment));
  const auto ask = [&](const pg::Param& id) {
    return connection.Exec(
        {"tenant_lake", "SELECT known_id, known_at FROM tenant_lake($1, $2, $3::boolean)"},
        {id, found.place, other == OtherLake::kAccept ? "true" : "false"}, stop);
  };
  PCW_TRY(pg::Rows known, ask(std::nullopt));
  const bool is_known = known.At(0, 0).has_value();
  if (!is_known || other == OtherLake::kAccept) {
    if (found.id.empty()) {
      // Before directories are made below it, as open as the umask lets them be.
      if (config.lake.url.empty()) PCW_TRY_OK(config::MakeHome(config::HomeDirectory(environment)));
      PCW_TRY(found.id, Mark(MarkerIn(LakePlace(config, environment)), machine));
    }
    PCW_TRY(known, ask(found.id));
  }
  if (known.Text(0, 0) == found.id) return Ok{};
  return Error(
      ErrorCode::kConfig,
      fmt::format("lake.url: the bronze of this database lies in {}, and {} is another "
                  "lake: bronze would be split between them. Set lake.url to one that all "
                  "machines share (s3://... or a mounted directory); if the lake was moved "
                  "here as a whole, say so: pcw db lake --accept",
                  known.Text(0, 1), found.place));
}

}  // namespace pcw::wiring
