// Dead letters as those see them who replay or re-ingest their records: found by record or by
// bronze, settled, failed again.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pcw/base/error.h"
#include "pcw/pg/connection.h"

namespace pcw::dlq {

/// An open dead letter whose record lies in bronze.
struct LetterInBronze {
  std::string id, record_key, bronze_key;
  int bronze_line = 0;
};

/// Of the entity, of every stage and catalog.
Result<std::vector<std::string>> RecordKeysInBronze(pg::Connection& connection,
                                                    std::int64_t connector_id,
                                                    std::string_view entity, std::stop_token stop);
/// Of the entity, of stage map.
Result<std::vector<LetterInBronze>> LettersToMap(pg::Connection& connection,
                                                 std::int64_t connector_id, std::string_view entity,
                                                 std::stop_token stop);
/// Of these records, of stages map and fetch.
Result<std::vector<LetterInBronze>> LettersOfRecords(
    pg::Connection& connection, std::int64_t connector_id, std::string_view entity,
    std::string_view catalog, const std::vector<std::string>& record_keys, std::stop_token stop);

struct StoredPatch {
  std::string bronze_key;
  int bronze_line = 0;
  std::string patch_json;
};
/// Patches of the entity's records, whose dead letters were not dropped; the oldest first.
Result<std::vector<StoredPatch>> LoadPatches(pg::Connection& connection, std::int64_t connector_id,
                                             std::string_view entity, std::stop_token stop);

/// A message of others, and what a person corrected in it (empty: nothing). kNotFound.
struct LetterMessage {
  std::string body, patch_json;
};
Result<LetterMessage> LoadLetterMessage(pg::Connection& connection, std::string_view letter_id,
                                        std::stop_token stop);

/// Settles those that are open still.
Status SettleLetters(pg::Connection& connection, const std::vector<std::string>& ids,
                     std::stop_token stop);

/// A message failed again: the loop guard counts failures with the same error in a row.
Status NoteMessageFailedAgain(pg::Connection& connection, std::string_view letter_id,
                              const Error& error, std::stop_token stop);
/// A record could not be fetched again: the loop guard counts failures of the same kind in a row.
Status NoteFetchFailedAgain(pg::Connection& connection, std::string_view letter_id,
                            const Error& error, std::stop_token stop);

/// Records were fetched again: their open dead letters say where the bytes are. `lines`: a dead
/// letter's id, and the record's line in the object.
Status NoteRefetched(pg::Connection& connection, std::string_view bronze_key,
                     const std::vector<std::pair<std::string, int>>& lines, std::string_view actor,
                     std::stop_token stop);

}  // namespace pcw::dlq
