// Dead letters: records that could not be fetched or mapped, kept with everything a replay needs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/base/error.h"
#include "pcw/base/result.h"
#include "pcw/pg/connection.h"

namespace pcw::dlq {

/// Where in the flow a record failed.
enum class Stage { kFetch, kMap };
std::string_view NameOf(Stage stage);

/// The envelope. Holds no payload: that stays in bronze.
struct DeadLetter {
  std::string id;  ///< UUIDv7; empty before the insert
  std::string tenant_id;
  std::string run_id;
  std::int64_t connector_id = 0;
  std::string connector;  ///< kind, for people; filled on load
  std::string entity;
  std::string catalog;
  std::string record_key;
  Stage stage = Stage::kFetch;
  std::string error_code;                 ///< NameOf(ErrorCode)
  std::string error;                      ///< message
  std::string error_context_json = "{}";  ///< the error's context as a JSON object
  std::string bronze_key;                 ///< empty if nothing reached bronze
  int bronze_line = 0;
  int attempts = 1;
  std::string first_seen_at;  ///< RFC 3339, filled on load
  std::string last_seen_at;
  std::string state = "open";  ///< open | settled | dropped
};

DeadLetter MakeDeadLetter(const Error& error, Stage stage, std::string record_key);

/// Inserts inside the caller's transaction. The same record failing at the same stage again updates
/// its open letter (attempts, last seen, run, error) instead of making a second one.
Status PutDeadLetters(pg::Connection& connection, const std::vector<DeadLetter>& letters,
                      std::stop_token stop);

/// Settles open letters of records that have landed after all. Inside the caller's transaction.
/// Returns how many.
Result<std::int64_t> SettleDeadLetters(pg::Connection& connection, std::string_view tenant_id,
                                       std::int64_t connector_id, std::string_view entity,
                                       std::string_view catalog,
                                       const std::vector<std::string>& record_keys,
                                       std::stop_token stop);

struct DeadLetterFilter {
  std::string entity;          ///< empty = every
  std::string state = "open";  ///< empty = every
  std::string run_id;
  int limit = 100;
};

Result<std::vector<DeadLetter>> LoadDeadLetters(pg::Connection& connection,
                                                std::string_view tenant_id,
                                                const DeadLetterFilter& filter,
                                                std::stop_token stop = {});
/// kNotFound if no such letter in this tenant. A unique prefix of the id (8 characters or more) is
/// enough.
Result<DeadLetter> LoadDeadLetter(pg::Connection& connection, std::string_view tenant_id,
                                  std::string_view id, std::stop_token stop = {});

}  // namespace pcw::dlq
