// What we sync, as data: connectors and their entities. The sync engine interprets this; nothing
// here does I/O.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "pcw/aws/operation.h"

namespace pcw::connector {

/// A source system. The runbook spells it three ways; all three are fields and nobody derives one
/// from another (ADR 3).
struct ConnectorDef {
  std::string_view kind;         ///< "partner_central": code, SQL, config, metrics
  std::string_view url_name;     ///< "partner-central": command line and REST
  std::string_view lake_prefix;  ///< "partnercentral": bronze keys and table names
  std::string_view title;        ///< for people
};

enum class Incremental { kByModifiedFilter, kListWhole };

/// What a listed version says about the record behind it.
enum class ListedVersion {
  kExact,  ///< the same version means the same details: they are not fetched again
  kHint,   ///< details may change behind it (AWS's own view): a full run fetches all of them
};

/// One list call whose items are records of an entity, and the call that fetches an item's details.
/// Members are of an item or a request; an empty one means "none".
struct SourceDef {
  const aws::Operation* list = nullptr;
  std::string_view
      list_members{};           ///< JSON members of every list request: `"ContextTypes":["Lead"]`
  bool takes_page_size = true;  ///< the list call has MaxResults
  std::string_view
      items_pointer{};             ///< JSON pointer of the array in a page: "/OpportunitySummaries"
  std::string_view id_member{};    ///< identifies the record: "Id"
  std::string_view id_fallback{};  ///< identifies it where id_member is absent
  /// Changes with the record: "LastModifiedDate". Empty: the SHA-256 of the item's bytes.
  std::string_view version_member{};
  ListedVersion version_means = ListedVersion::kExact;

  const aws::Operation* detail = nullptr;  ///< nullptr: the item itself is the record
  std::string_view detail_member{};        ///< of the detail request, takes the key: "Identifier"
  std::string_view
      no_record{};  ///< a key of valid form that no record has, to try permissions with
  std::string_view key_member{};  ///< of the item, what the detail call takes; empty: the id
  std::string_view key_column{};  ///< where the table keeps that key; empty: the id column
  /// Details are fetched only for items in which this member has this text; the others are their
  /// own record and change only what they tell (a sparse record).
  std::string_view detail_when{};
  std::string_view detail_when_is{};
  /// AWS need not have details of a listed record: where it says so (404), there is nothing to
  /// fetch, and nothing has failed.
  bool may_be_absent = false;
  /// A second call for the same key whose answer belongs to the record: its visibility.
  const aws::Operation* companion = nullptr;

  /// Of several sources of one record the higher rank tells more: it replaces what a lower one
  /// said, and is not replaced by it.
  int rank = 0;

  std::string_view full_sort{};        ///< immutable sort key of full scans (T1): "Identifier"
  std::string_view modified_sort{};    ///< sort key of incremental scans: "LastModifiedDate"
  std::string_view modified_filter{};  ///< request member that filters by modification
  std::string_view modified_after{};   ///< its lower bound: "AfterLastModifiedDate"
};

/// Where an entity's records come from and where they go.
struct EntityDef {
  const ConnectorDef* connector;
  std::string_view name;               ///< "opportunities"
  std::span<const SourceDef> sources;  ///< in the order they are scanned, highest rank first
  std::string_view table;              ///< "partnercentral_opportunities"
  std::string_view id_column;          ///< "pc_opportunity_id"
  Incremental incremental;
  bool is_optional = false;  ///< synced only if configured, not with the defaults

  /// The source whose list or detail operation that is; nullptr if none.
  const SourceDef* SourceOf(std::string_view operation) const;
  bool has_companion() const;
  /// Some items are sparse records.
  bool has_sparse() const;
};

/// A record of `operation` (as bronze names it) tells only part of its row.
bool IsSparse(const SourceDef& source, std::string_view operation);

const ConnectorDef& PartnerCentral();
const EntityDef& Opportunities();
const EntityDef& Leads();
const EntityDef& Solutions();
const EntityDef& Profiles();
const EntityDef& AwsSummaries();

/// Every entity that exists, in sync order.
std::span<const EntityDef* const> AllEntities();
/// Their names, in the same order.
std::vector<std::string> EntityNames();
/// nullptr if unknown. Accepts every spelling of the connector (partner-central, partner_central,
/// partnercentral).
const ConnectorDef* FindConnector(std::string_view spelling);
const EntityDef* FindEntity(const ConnectorDef& connector, std::string_view name);

}  // namespace pcw::connector
