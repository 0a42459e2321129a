// Rows as the REST interface shows them. Fields may be added, never changed.
#pragma once

#include "pcw/base/json.h"
#include "pcw/dlq/dead_letter.h"
#include "pcw/net/server/message.h"
#include "pcw/quota/pg_quota.h"
#include "pcw/runs/freshness.h"
#include "pcw/runs/run_store.h"
#include "pcw/tables/drift_store.h"

namespace pcw::api {

OrderedJson RunJson(const runs::StoredRun& run);
OrderedJson FreshnessJson(const runs::EntityFreshness& entity);
OrderedJson DriftJson(const tables::StoredFinding& finding);
OrderedJson DeadLetterJson(const dlq::DeadLetter& letter);
OrderedJson QuotaJson(const quota::QuotaStatus& status);

/// An answer of JSON.
net::server::Response JsonResponse(int status, const OrderedJson& json);
/// {"items": [...], "next_cursor": null or text}.
net::server::Response ListResponse(OrderedJson items, const std::string& next_cursor);

}  // namespace pcw::api
