// What the database tells of mappings and drift.
#pragma once

#include <map>
#include <stop_token>
#include <string>
#include <vector>

#include "pcw/base/result.h"
#include "pcw/connector/entity_def.h"
#include "pcw/connector/mapping.h"
#include "pcw/diagnose/facts.h"
#include "pcw/pg/connection.h"

namespace pcw::diagnose {

/// `mappings`: those in force by entity, or what is wrong with a file. Reads only.
Result<SchemaFacts> LoadSchemaFacts(
    pg::Connection& connection, const std::vector<const connector::EntityDef*>& entities,
    const std::map<std::string, Result<connector::Mapping>>& mappings, std::stop_token stop);

}  // namespace pcw::diagnose
