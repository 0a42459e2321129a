#include "pcw/reingest/rebuild.h"

#include <fmt/format.h>

#include "pcw/base/failpoint.h"
#include "pcw/tables/entity_sql.h"

namespace pcw::reingest {
namespace {

// What the functions of migration 0007 raise says what to do; it is the operator's to read.
Error AsRefusal(Error error) {
  const auto state = error.Find("sqlstate");
  if (!state || (*state != "P0001" && *state != "2BP01")) return error;
  return error.Retold(ErrorCode::kInvalidRequest, error.message());
}

}  // namespace

std::string ShadowOf(const connector::EntityDef& def) {
  return fmt::format("{}_shadow", def.table);
}

Status MakeShadow(pg::Connection& owner, const connector::EntityDef& def,
                  const std::string& tenant_id, std::stop_token stop) {
  PCW_FAILPOINT("rebuild.shadow.before");
  auto made = owner.Exec({"shadow_make", "SELECT pcw_shadow_make($1::regclass, $2::uuid)"},
                         {std::string(def.table), tenant_id}, stop);
  if (!made) return AsRefusal(std::move(made).error());
  PCW_FAILPOINT("rebuild.shadow.after");
  return Ok{};
}

Status SwapShadow(pg::Connection& owner, const connector::EntityDef& def, const jobs::Lease& lease,
                  const std::vector<std::string>& kept, std::optional<std::int64_t> expect_lost,
                  std::stop_token stop) {
  PCW_FAILPOINT("rebuild.swap.before");
  PCW_TRY(pg::Transaction transaction, pg::Transaction::Begin(owner, "rebuild swap", stop));
  if (!kept.empty()) {
    std::string set;
    for (const std::string& column : kept)
      set += fmt::format("{0}{1} = l.{1}", set.empty() ? "" : ", ", tables::Quoted(column));
    const std::string sql = fmt::format(
        "UPDATE {0} AS s SET {1} FROM {2} AS l WHERE l.tenant_id = s.tenant_id AND l.catalog = "
        "s.catalog AND l.{3} = s.{3}",
        ShadowOf(def), set, def.table, def.id_column);
    PCW_TRY_OK(owner.Exec({"shadow_keep", sql}, {}, stop));
  }
  auto swapped = owner.Exec(
      {"shadow_swap", "SELECT pcw_shadow_swap($1::regclass, $2::name, $3::bigint)"},
      {std::string(def.table), std::string(def.id_column), std::to_string(expect_lost.value_or(0))},
      stop);
  if (!swapped) return AsRefusal(std::move(swapped).error());
  PCW_TRY_OK(lease.CheckFence(owner, stop));
  PCW_FAILPOINT("rebuild.swap.commit.before");
  PCW_TRY_OK(transaction.Commit());
  PCW_FAILPOINT("rebuild.swap.after");
  return Ok{};
}

}  // namespace pcw::reingest
