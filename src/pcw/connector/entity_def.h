// What we sync, as data: connectors and their entities. The sync engine interprets this; nothing
// here does I/O.
#pragma once

#include <span>
#include <string_view>

#include "pcw/aws/operation.h"

namespace pcw::connector {

/// A source system. The runbook spells it three ways; all three are fields and nobody derives one
/// from another (HOUSE 4.4).
struct ConnectorDef {
  std::string_view kind;         ///< "partner_central": code, SQL, config, metrics
  std::string_view url_name;     ///< "partner-central": command line and REST
  std::string_view lake_prefix;  ///< "partnercentral": bronze keys and table names
  std::string_view title;        ///< for people
};

enum class Incremental { kByModifiedFilter, kListWhole };

/// Where an entity's records are listed and how a record's details are fetched.
struct EntityDef {
  const ConnectorDef* connector;
  std::string_view name;  ///< "opportunities"
  const aws::Operation* list;
  std::string_view items_pointer;  ///< JSON pointer of the array in a page: "/OpportunitySummaries"
  std::string_view id_member;      ///< member of an item that identifies it: "Id"
  std::string_view version_member;  ///< member whose change means a new version: "LastModifiedDate"
  const aws::Operation* detail;     ///< nullptr for list-only entities
  std::string_view detail_id_member;  ///< request member that takes the id: "Identifier"
  std::string_view table;             ///< "partnercentral_opportunities"
  std::string_view id_column;         ///< "pc_opportunity_id"
  Incremental incremental;
  std::string_view full_sort;      ///< immutable sort key of full scans (T1): "Identifier"
  std::string_view modified_sort;  ///< sort key of incremental scans: "LastModifiedDate"
  std::string_view
      modified_filter;  ///< request member that filters by modification: "LastModifiedDate"
  std::string_view modified_after;  ///< its lower bound: "AfterLastModifiedDate"
};

const ConnectorDef& PartnerCentral();
const EntityDef& Opportunities();

/// Every entity that exists, in sync order.
std::span<const EntityDef* const> AllEntities();
/// nullptr if unknown. Accepts every spelling of the connector (partner-central, partner_central,
/// partnercentral).
const ConnectorDef* FindConnector(std::string_view spelling);
const EntityDef* FindEntity(const ConnectorDef& connector, std::string_view name);

}  // namespace pcw::connector
