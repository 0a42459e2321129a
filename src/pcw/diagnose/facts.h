// What was seen, before anybody judges it: the input of the rules, made by hand in their tests.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "pcw/aws/credentials.h"
#include "pcw/aws/credentials/unused_settings.h"
#include "pcw/aws/sts.h"
#include "pcw/base/result.h"
#include "pcw/diagnose/bronze_facts.h"
#include "pcw/diagnose/dlq_facts.h"
#include "pcw/diagnose/events_facts.h"
#include "pcw/diagnose/run_facts.h"
#include "pcw/net/endpoint_probe.h"
#include "pcw/quota/call_ledger.h"
#include "pcw/quota/pg_quota.h"
#include "pcw/tables/drift_store.h"

namespace pcw::diagnose {

/// One service as it is reached.
struct EndpointFacts {
  std::string service;  ///< "partnercentral-selling"
  std::string url;
  std::string origin;        ///< "AWS's rule", or which setting overrides it
  bool is_override = false;  ///< not AWS's rule
  std::optional<net::EndpointProbe> probe;
};

/// One IAM action that pcw needs.
struct ActionFacts {
  std::string action;     ///< "partnercentral:GetOpportunity"
  bool is_write = false;  ///< never tried
  bool was_tried = false;
  std::optional<Error> error;  ///< of a try; absent = it worked
  std::string why_not;         ///< of an action that was not tried
};

/// Whether a partner is behind the account, as far as ListPartners tells (docs/aws-facts.md 13).
struct LinkFacts {
  bool was_asked = false;
  std::optional<Error> error;
  bool has_partner = false;  ///< of the caller's own account
};

/// Settings that rules need, as values.
struct SettingFacts {
  std::string catalog = "AWS";
  std::string expected_account;
  std::string rotated_to;  ///< what `credentials rotate` switched to; empty = the configured ones
  std::string proxy;       ///< aws.proxy
  int batch_size = 100;

  std::chrono::milliseconds incremental_every{std::chrono::minutes(5)};
  quota::QuotaLimits limits;
  std::map<std::string, std::string> environment;
};

/// The ledger of calls, when the database could be read.
struct LedgerFacts {
  std::vector<quota::QuotaStatus> quota;
  std::vector<quota::SpentCalls> last_quarter_hour, last_hour, last_day;
  std::vector<quota::OperationOutcome> operations;
};

/// Mappings and drift, when the database could be read.
struct SchemaFacts {
  struct OldRows {
    std::string entity;
    int version = 0;        ///< of the mapping in force
    std::int64_t rows = 0;  ///< of another one
    int newest = 0;         ///< by which a run has begun; 0 = none
  };
  /// A column that a mapping filled once and the one in force does not.
  struct LeftColumn {
    std::string entity, table, column;
    std::int64_t rows = 0;  ///< that have a value there
  };
  /// The newest run of an entity, if drift ended it.
  struct StoppedRun {
    std::string entity, run_id, reason, error;
  };
  std::vector<tables::StoredFinding> open;                            ///< newest first
  std::int64_t changed_rows = 0, null_company = 0, null_revenue = 0;  ///< the runbook's query
  std::vector<OldRows> old_rows;
  std::vector<LeftColumn> left;                             ///< with a value in some row
  std::vector<std::pair<std::string, std::string>> broken;  ///< entity, what is wrong with its file
  std::vector<std::pair<std::string, std::int64_t>> letters;  ///< open ones of mapping, by entity
  std::vector<StoppedRun> stopped;
  std::vector<std::string> api_versions;  ///< of the shipped facts
};

struct Facts {
  WallTime now;
  SettingFacts settings;
  std::optional<Error> config_error;              ///< then nothing else was looked at
  std::string config_check = "pcw config check";  ///< the command that names its mistakes again
  std::optional<Error> escalation_error;          ///< the matrix; the runbook's own is used instead
  std::vector<std::string> config_problems;       ///< what serve alone would stumble over
  std::vector<aws::UnusedSetting> unused_settings;  ///< of AWS's tools, given and not followed
  std::optional<Error> home_error;      ///< $PCW_HOME or a directory lake cannot be written
  std::optional<Error> database_error;  ///< then there is no ledger
  std::string database;                 ///< "embedded", or host and name, for people
  std::vector<EndpointFacts> endpoints;
  std::optional<Error> credentials_error;
  aws::CredentialsPtr credentials;
  std::optional<Error> identity_error;
  std::optional<aws::sts::CallerIdentity> identity;
  std::vector<ActionFacts> actions;
  /// This machine's clock minus AWS's, as an answered call showed it.
  std::optional<std::chrono::microseconds> clock_ahead;
  LinkFacts link;
  BronzeFacts bronze;
  std::optional<LedgerFacts> ledger;
  std::optional<SchemaFacts> schema;
  std::optional<RunFacts> runs;  ///< when the database could be read
  std::optional<DlqFacts> dlq;
  std::optional<EventsFacts> events;
};

}  // namespace pcw::diagnose
