#include "pcw/diagnose/catalogue.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "pcw/base/assert.h"

namespace pcw::diagnose {
namespace {

constexpr std::array kSections{
    SectionDef{Section::kSetup, "setup", "0", "pcw's own configuration and database"},
    SectionDef{Section::kAuth, "auth", "1.1", "authentication failures"},
    SectionDef{Section::kRateLimits, "rate-limits", "1.2", "rate limiting"},
    SectionDef{Section::kSchema, "schema", "1.3", "schema mismatches"},
    SectionDef{Section::kConnectivity, "connectivity", "1.4", "connectivity issues"},
    SectionDef{Section::kRuns, "partner-central", "2.1", "the Partner Central connector's runs"},
    SectionDef{Section::kBronze, "bronze", "3.2", "the bronze layer"},
    SectionDef{Section::kDlq, "dlq", "3.3", "dead letters"},
    SectionDef{Section::kEvents, "events", "3.4", "events"},
};

using enum Section;
using enum Level;
using enum IssueType;

const std::array kCatalogue{
    FindingDef{"PCW1001", kSetup, kError, kApi, "the configuration has mistakes",
               "A key, a value or a file that the configuration names is wrong; nothing starts.",
               "Fix each named location; `pcw config check` names them all again."},
    FindingDef{"PCW1002", kSetup, kError, kPerformance, "pcw's database cannot be used",
               "PostgreSQL does not answer, or refuses the login. Syncs and the ledger of calls "
               "need it.",
               "Start or reach the server; `pcw db status` says when it is well again."},

    FindingDef{
        "PCW1003", kSetup, kError, kPerformance, "pcw's home or lake cannot be written",
        "The directory that holds pcw's state, or the lake, is missing, full, read-only or "
        "another user's.",
        "Make it writable for the user that runs pcw, or set PCW_HOME and lake.url elsewhere."},

    FindingDef{"PCW1004", kSetup, kInfo, kApi, "a setting of AWS's tools is not followed",
               "The environment or the AWS profile says something to AWS's own tools that pcw does "
               "otherwise.",
               "Read what pcw does instead; take the setting away if it was meant for pcw."},

    FindingDef{"PCW1101", kAuth, kError, kIam, "there are no AWS credentials",
               "None of the locations that AWS's tools look at has any.",
               "Give keys, a profile, or the role of the machine."},
    FindingDef{"PCW1102", kAuth, kError, kIam, "the credentials are configured wrongly",
               "A profile, a role or an environment variable is incomplete or contradicts another, "
               "or needs a person (SSO, MFA).",
               "Fix what the message names."},
    FindingDef{"PCW1103", kAuth, kError, kIam, "the source of the credentials does not answer",
               "The instance metadata, the container endpoint, STS or the credential_process was "
               "asked and gave nothing. In a container on an instance the hop limit is the usual "
               "reason.",
               "Let the source be reached, or use another one."},
    FindingDef{"PCW1104", kAuth, kError, kIam, "the session has expired",
               "Temporary credentials ended and nothing renews them.",
               "Renew the session, or use a source that pcw can refresh (a role)."},
    FindingDef{
        "PCW1105", kAuth, kError, kIam, "AWS does not know this key",
        "The access key was deleted, deactivated or revoked, or belongs to another partition.",
        "Take another key into use; look whether the old one was taken away for a reason."},
    FindingDef{
        "PCW1106", kAuth, kError, kIam, "the secret does not belong to the key",
        "AWS computes another signature than pcw with the same key id: the secret is that of "
        "another key, or was cut when it was copied.",
        "Set id and secret of one key together."},
    FindingDef{"PCW1107", kAuth, kError, kIam, "the credentials belong to another account",
               "aws.account_id expects another account than STS names; nothing is called.",
               "Use credentials of the expected account, or correct aws.account_id."},
    FindingDef{"PCW1108", kAuth, kError, kIam, "the role cannot be assumed",
               "STS refuses AssumeRole: the role's trust policy does not name the caller, wants "
               "another external id, or the role does not exist.",
               "Fix the trust policy, or the external id."},
    FindingDef{"PCW1109", kAuth, kError, kIam,
               "Partner Central denies everything: the account may not be linked",
               "STS knows the caller and Partner Central denies every operation without naming a "
               "right. No AWS operation tells whether an account is linked.",
               "An alliance lead or cloud admin links the account in the Partner Central console."},
    FindingDef{"PCW1110", kAuth, kError, kIam, "an IAM right is missing",
               "The caller's policy does not allow an action that pcw needs.",
               "Add the statement that the evidence holds."},
    FindingDef{"PCW1111", kAuth, kWarn, kIam, "the credentials end soon and nothing renews them",
               "A session was put into the environment or a file; pcw cannot refresh it.",
               "Use a source that pcw can refresh (a role), or renew it in time."},
    FindingDef{"PCW1112", kAuth, kError, kPerformance, "this machine's clock is wrong",
               "AWS refuses signatures that are more than about five minutes off. pcw corrects "
               "itself once a process from AWS's Date header, at the price of refused calls.",
               "Let NTP set the clock."},
    FindingDef{"PCW1113", kAuth, kInfo, kIam, "rights that are not tried",
               "Writes are not tried: they would write.", "Nothing to do."},
    FindingDef{"PCW1114", kAuth, kInfo, kIam, "who pcw is", "The credentials in force.",
               "Nothing to do."},

    FindingDef{
        "PCW1115", kAuth, kError, kApi, "a call that pcw needs fails",
        "AWS answers, or should, and not with what was asked for; no rule knows this error "
        "better.",
        "Read AWS's words in the evidence; its health page, then AWS Support with the request "
        "id."},
    FindingDef{"PCW1116", kAuth, kError, kIam, "AWS refuses the credentials",
               "An authentication error that is none of the usual ones: an identity token that STS "
               "does not take, a header that a proxy removed.",
               "Read AWS's words in the evidence; give the credentials anew."},

    FindingDef{"PCW1201", kRateLimits, kError, kApi, "daily quota exhausted",
               "AWS allows so many calls in any 24 hours; they age out minute by minute.",
               "Wait, or spend less, or ask AWS for more."},
    FindingDef{"PCW1202", kRateLimits, kWarn, kApi, "AWS throttles calls",
               "Somebody else calls with the same AWS account, or AWS allows less than configured: "
               "pcw's own processes share one budget.",
               "Find the other client, or let pcw take less."},
    FindingDef{"PCW1203", kRateLimits, kWarn, kApi, "one process spends most of the quota",
               "All pcw processes of an AWS account share its quota; one of them took most of it.",
               "Let it run at another time, or take less."},
    FindingDef{"PCW1204", kRateLimits, kWarn, kApi, "the account pauses after a throttle",
               "AWS refused a call and named a time; every pcw process waits for it.",
               "Nothing: it ends by itself."},
    FindingDef{"PCW1205", kRateLimits, kWarn, kApi, "list calls fail at this batch size",
               "Large pages take longer to make and to carry than AWS or the way allow.",
               "Ask for smaller pages."},
    FindingDef{"PCW1206", kRateLimits, kInfo, kApi, "how much quota is left",
               "Both windows of the account, from pcw's own ledger.", "Nothing to do."},
    FindingDef{
        "PCW1207", kRateLimits, kWarn, kApi, "the interval spends the quota by itself",
        "Incremental syncs are so frequent that looking alone takes a large part of the day.",
        "Look less often."},
    FindingDef{"PCW1208", kRateLimits, kError, kApi, "AWS throttles most calls",
               "As PCW1202, but little gets through: a throttle storm.",
               "Find the other client, or let pcw take less."},

    FindingDef{"PCW1209", kRateLimits, kInfo, kApi, "there is no ledger of calls yet",
               "Nothing was synced here, or the account is not known, so nothing can be said of "
               "quota and throttles.",
               "Nothing to do."},

    FindingDef{"PCW1301", kSchema, kError, kData, "drift stopped the newest run",
               "A record departs where the mapping says freeze, or more records do not fit the "
               "mapping than sync.stop_at_mismatch_percent allows.",
               "Accept the finding or correct the mapping, then resume the run."},
    FindingDef{"PCW1302", kSchema, kWarn, kData, "a column is NULL far more often than before",
               "AWS moved or dropped the member, its values changed form, or partners stopped "
               "filling it.",
               "Look at a record in bronze; correct the mapping and re-ingest, or accept it."},
    FindingDef{"PCW1303", kSchema, kWarn, kData, "AWS's answers changed under the mapping",
               "A member has another type, went away, or has values that do not fit its column.",
               "Look at the record in bronze; correct the mapping and re-ingest, or accept it."},
    FindingDef{"PCW1304", kSchema, kWarn, kData, "rows of an older mapping",
               "The mapping has another version than the one that made these rows; a sync rewrites "
               "only what AWS changed.",
               "Re-ingest the entity from bronze; it takes no AWS call."},
    FindingDef{"PCW1305", kSchema, kWarn, kData, "records that do not fit the mapping",
               "A required member is absent or of another type, or its field is under quarantine.",
               "Correct the mapping or accept the finding; the record's bytes are in bronze."},
    FindingDef{"PCW1306", kSchema, kInfo, kData, "what is NULL, and which API pcw knows",
               "The runbook's query, and the API versions of the facts that pcw ships.",
               "Nothing to do."},
    FindingDef{"PCW1307", kSchema, kWarn, kData, "AWS sends what pcw's copy of its API lacks",
               "AWS added members or enum values after the facts that pcw ships were made. Nothing "
               "is lost: bronze has the records whole and texts are stored as they are.",
               "Map the new member or accept it; a newer pcw may know it."},
    FindingDef{
        "PCW1310", kSchema, kError, kData, "this configuration has an older mapping",
        "Rows were made by a newer version of the mapping than this process has: it was not "
        "given the new file, or went back to an old one. It leaves the entity alone, so that "
        "the two do not undo each other's rows.",
        "Give every process the newer mapping, or go back for good by a re-ingest with "
        "--older-mapping."},
    FindingDef{
        "PCW1311", kSchema, kError, kData, "a mapping cannot be used",
        "The file has a mistake. A running service goes on with the mapping it had; commands "
        "and the next start refuse it.",
        "Correct the file; `pcw mapping check FILE` tells every mistake."},

    FindingDef{"PCW1308", kSchema, kWarn, kData, "a column that left the mapping keeps its values",
               "The mapping in force does not fill this column; rows still have what an earlier "
               "mapping put there, and a table that is rebuilt from bronze would not.",
               "Re-ingest the entity from bronze: it empties the column and takes no AWS call."},

    FindingDef{"PCW1401", kConnectivity, kError, kPerformance, "the host name does not exist",
               "The resolver answers that there is no such name.",
               "Use AWS's name for the service; see that the resolver asks the public DNS."},
    FindingDef{"PCW1402", kConnectivity, kError, kPerformance, "the resolver does not answer",
               "DNS itself is out of reach or out of order.",
               "Fix /etc/resolv.conf or the way to the resolver (UDP and TCP 53)."},
    FindingDef{"PCW1403", kConnectivity, kError, kPerformance, "the connection is refused",
               "The host answers and nobody listens at that port.",
               "Correct host and port, or the VPC endpoint's security group."},
    FindingDef{
        "PCW1404", kConnectivity, kError, kPerformance, "packets to AWS vanish",
        "A security group, network ACL or firewall drops them, or there is no way out (NAT).",
        "Allow outbound HTTPS (443) and give the subnet a way out."},
    FindingDef{"PCW1405", kConnectivity, kError, kPerformance,
               "TLS: the certificate comes from nobody we trust",
               "A proxy or firewall opens TLS and shows a certificate of its own, or the list of "
               "authorities is old.",
               "Exempt AWS's hosts from inspection, or trust the inspector's authority."},
    FindingDef{"PCW1406", kConnectivity, kError, kPerformance, "TLS: the certificate has expired",
               "Whoever answers shows a certificate that has ended; or this machine's clock is "
               "wrong.",
               "Renew the certificate of the endpoint that answers."},
    FindingDef{"PCW1407", kConnectivity, kError, kPerformance,
               "TLS: the certificate is for another host",
               "The name leads to a host that is not the one it names: a wrong override, a VPC "
               "endpoint of another service, a captive portal.",
               "Correct the endpoint, or private DNS."},
    FindingDef{"PCW1408", kConnectivity, kError, kPerformance, "a proxy stands in the way",
               "The network lets HTTPS out through a proxy only, or the configured proxy refuses.",
               "Set aws.proxy, or allow the host in the proxy."},
    FindingDef{
        "PCW1409", kConnectivity, kError, kPerformance, "an endpoint setting leads nowhere",
        "AWS_ENDPOINT_URL or endpoint_url points to something that does not work, often left "
        "over from a test.",
        "Remove the setting, and AWS's own name is used."},
    FindingDef{"PCW1410", kConnectivity, kWarn, kPerformance, "the way to AWS is slow",
               "An answer without any work took more than a second.",
               "Look at the proxy, NAT or region; pcw raises its concurrency by itself."},
    FindingDef{"PCW1411", kConnectivity, kInfo, kPerformance, "which way calls take",
               "The endpoint in force and the address behind it.", "Nothing to do."},
    FindingDef{"PCW1412", kConnectivity, kError, kPerformance, "the TLS handshake fails",
               "The other side cuts it, speaks no TLS 1.2, or is not a TLS server at all.",
               "See what listens there: openssl s_client says."},
    FindingDef{"PCW1413", kConnectivity, kError, kPerformance, "there is no route to AWS",
               "The machine's routing has no way to that address.",
               "Add a route: an internet or NAT gateway, or a VPC endpoint."},
    FindingDef{"PCW1414", kConnectivity, kError, kApi, "AWS answers with errors of its own",
               "The way is open and the service says 5xx.",
               "Wait; look at AWS's health page; pcw goes on by itself."},
    FindingDef{"PCW1415", kConnectivity, kError, kPerformance, "connected, and no answer comes",
               "The connection stands and nothing is said: an overloaded or half dead endpoint, or "
               "a middle box that swallows data.",
               "See what answers there."},
    FindingDef{"PCW1416", kConnectivity, kWarn, kPerformance, "TLS: the certificate ends soon",
               "The certificate of the endpoint in force ends within two weeks.",
               "Renew it; AWS renews its own by itself."},

    FindingDef{"PCW2100", kRuns, kInfo, kData, "how old the data is",
               "When the newest complete scan of an entity began.", "Nothing to do."},
    FindingDef{
        "PCW2101", kRuns, kError, kApi, "the newest run of an entity failed",
        "The scan did not reach its end; what it stored stays, and nothing else follows from "
        "it. Said only if nothing else on this page is why.",
        "Fix what the error names, then resume the run."},
    FindingDef{"PCW2102", kRuns, kError, kPerformance, "a run is stalled",
               "Its worker's lease has ended, or it lives and makes no progress.",
               "A service takes it over by itself; without one, start the sync again."},
    FindingDef{"PCW2103", kRuns, kWarn, kData, "data is older than the schedule allows",
               "No scan of the entity was completed for three of its intervals, or for a day where "
               "nothing is scheduled.",
               "Look at its runs; start one."},
    FindingDef{
        "PCW2104", kRuns, kError, kPerformance, "nobody works on what is due",
        "The schedule or the queue waits: no process with the role scheduler or ingest runs, "
        "or all workers are busy.",
        "Start the service, or more workers."},
    FindingDef{"PCW2105", kRuns, kInfo, kData, "an entity was never synced",
               "It is configured, and no run of it was ever started.", "Sync it."},
    FindingDef{
        "PCW2106", kRuns, kInfo, kData, "the newest run left dead letters",
        "The scan is complete; some records could not be fetched or mapped. Section 3.3 says "
        "what is to be done about them.",
        "Look at the dead letters, fix the cause, replay them."},
    FindingDef{"PCW2107", kRuns, kWarn, kIam, "an API token ends soon",
               "It was made with an expiry that lies within two weeks.",
               "Make another one and change over."},
    FindingDef{"PCW2108", kRuns, kWarn, kPerformance,
               "this machine's clock and PostgreSQL's differ",
               "Leases and schedules go by PostgreSQL's clock and are not disturbed; log lines and "
               "signatures go by this machine's.",
               "Let both follow one time source."},
    FindingDef{
        "PCW2109", kRuns, kWarn, kPerformance, "PostgreSQL runs short of something",
        "Nearly all sessions are taken, or a transaction is open so long that dead rows pile "
        "up.",
        "Find whose session it is; raise max_connections or use fewer workers."},
    FindingDef{
        "PCW2110", kRuns, kWarn, kData, "the newest run found too little",
        "The scan is complete and brought nothing, or far less than the one before: a filter, "
        "a catalog, or an account that lost its rights without an error.",
        "Compare with Partner Central's console; look at catalog and account."},
    FindingDef{
        "PCW2111", kRuns, kError, kPerformance, "runs lie in the future",
        "Their times are ahead of PostgreSQL's clock, which writes them: it stood ahead once, or "
        "stands behind now. (Before migration 0054 the clock of pcw's machine wrote "
        "them.) They do not count as fresh data.",
        "Set the clock of PostgreSQL's machine right; the next runs count again."},
    FindingDef{
        "PCW2112", kRuns, kError, kData, "records stand still behind a date",
        "A version never replaces one that AWS dated later, so a date that was wrong once, or was "
        "corrected downwards, keeps every later version out.",
        "Compare with Partner Central's console; accept what AWS has now by `pcw sync refetch "
        "... --accept-older`."},
    FindingDef{"PCW3200", kBronze, kInfo, kData, "the newest object of an entity",
               "What was stored last.", "Nothing to do."},
    FindingDef{"PCW3201", kBronze, kError, kPerformance, "the lake cannot be reached",
               "S3, or what stands in for it, does not answer. Nothing is interpreted before it is "
               "stored, so runs stop.",
               "Let the machine reach S3: a gateway endpoint of the VPC, or NAT. The next run goes "
               "on where the last one stopped."},
    FindingDef{"PCW3202", kBronze, kError, kPerformance, "the bucket of the lake does not exist",
               "lake.url names a bucket that is not there: a spelling, another account, or it was "
               "deleted.",
               "Create it, or correct lake.url. Objects that were deleted with it come back from a "
               "replica only."},
    FindingDef{"PCW3203", kBronze, kError, kIam, "access to the lake is denied",
               "The policy of the role, of the bucket or of its KMS key does not let pcw list or "
               "read.",
               "Allow s3:ListBucket, s3:GetObject, s3:PutObject and s3:AbortMultipartUpload."},
    FindingDef{"PCW3204", kBronze, kError, kPerformance, "the lake cannot be used as configured",
               "The directory cannot be written, or the bucket lies in another region than the one "
               "that is asked.",
               "Fix what the message names."},
    FindingDef{
        "PCW3205", kBronze, kError, kData, "objects that the database names are missing",
        "Somebody deleted them, a lifecycle rule expired them, or lake.url points to another "
        "lake than the one this database was filled from.",
        "Point lake.url to the right lake, or restore them; the tables themselves are whole."},
    FindingDef{"PCW3206", kBronze, kInfo, kData, "run folders that the database does not know",
               "A run that was killed before its first commit, or another database on the same "
               "lake. They feed no table unless they are re-ingested on purpose.",
               "Nothing, or re-ingest them."},
    FindingDef{"PCW3207", kBronze, kError, kIam, "the newest run could not store what it read",
               "S3 refused or lost the write; the run stopped before anything was interpreted.",
               "Fix what the error names, then resume the run."},
    FindingDef{"PCW3301", kDlq, kWarn, kData, "records that cannot be mapped",
               "AWS sends something that the mapping does not take, or PostgreSQL refuses a value. "
               "The bytes are in bronze.",
               "Correct the mapping and replay the group; a dry run shows what would change."},
    FindingDef{"PCW3302", kDlq, kWarn, kApi, "records or messages that could not be processed",
               "A detail call failed to the end, or a message in the queue is none of pcw's.",
               "Replay with --refetch once AWS answers; drop what is nobody's."},
    FindingDef{
        "PCW3303", kDlq, kError, kPerformance, "the queue of dead letters does not exist",
        "dlq.url names a queue that was deleted, or another account's or region's. Dead letters "
        "stay in PostgreSQL.",
        "Create it with 14 days of retention, or correct dlq.url; then `pcw dlq deliver`."},
    FindingDef{"PCW3304", kDlq, kError, kIam, "access to the queue of dead letters is denied",
               "The role's policy or the queue's own leaves out an action that pcw needs.",
               "Allow SendMessage, ReceiveMessage, DeleteMessage, ChangeMessageVisibility and "
               "GetQueueAttributes."},
    FindingDef{"PCW3305", kDlq, kError, kPerformance, "the queue of dead letters cannot be reached",
               "SQS does not answer, or dlq.url is not a queue's address.",
               "Fix the address or the way there; dead letters are delivered by the next pass."},
    FindingDef{
        "PCW3306", kDlq, kWarn, kData, "messages are past half of their retention",
        "Nobody has dealt with their dead letters yet, and SQS will drop the messages. A redrive "
        "does not make them younger.",
        "Replay or drop the dead letters; nothing of them is lost in PostgreSQL and bronze."},
    FindingDef{"PCW3307", kDlq, kWarn, kPerformance, "dead letters that are not delivered to SQS",
               "The pass after the run failed, or SQS refused entries.",
               "Run `pcw dlq deliver` and look at what it says."},
    FindingDef{"PCW3308", kDlq, kWarn, kData, "dead letters that the loop guard leaves alone",
               "Replays in a row ended with the same error by the same mapping; trying again "
               "changes nothing.",
               "Correct the mapping, give a patch, or drop them with a reason."},
    FindingDef{"PCW3309", kDlq, kWarn, kData, "dead letters are growing",
               "Most open dead letters are of the last 24 hours: something changed at AWS or in a "
               "mapping.",
               "Look at the largest group and at the drift of that day."},
    FindingDef{
        "PCW3401", kEvents, kError, kPerformance, "the queue of events does not exist",
        "events.url names a queue that was deleted, or another account's or region's. Sweeps "
        "bring the changes.",
        "Create it and let the EventBridge rule send to it, or correct events.url."},
    FindingDef{"PCW3402", kEvents, kError, kIam, "access to the queue of events is denied",
               "The role's policy or the queue's own leaves out an action that pcw needs.",
               "Allow ReceiveMessage, DeleteMessage and GetQueueAttributes."},
    FindingDef{"PCW3403", kEvents, kError, kPerformance, "the queue of events cannot be reached",
               "SQS does not answer, or events.url is not a queue's address.",
               "Fix the address or the way there; sweeps bring the changes meanwhile."},
    FindingDef{"PCW3404", kEvents, kWarn, kPerformance, "nobody listens to the queue of events",
               "events.url is set, but no service with the role events runs for this tenant.",
               "Run `pcw serve`; SQS keeps messages for days."},
    FindingDef{"PCW3405", kEvents, kWarn, kApi, "events go missing",
               "AWS delivers events at its best effort; more than a few lost ones are a rule or a "
               "queue that refuses some of them.",
               "Look at the rule's FailedInvocations; sweeps bring the changes, only later."},
    FindingDef{
        "PCW3406", kEvents, kWarn, kPerformance, "events pile up",
        "More comes than is fetched: the daily quota is exhausted, a sweep is at work for long, or "
        "the "
        "fetches fail.",
        "See the runs of mode fetch and the quota; a sweep makes up for all of them at once."},
    FindingDef{
        "PCW3407", kEvents, kWarn, kPerformance, "changes, but no event of any",
        "The EventBridge rule is missing or disabled, does not match the source "
        "aws.partnercentral-selling, is not in us-east-1, or the queue's policy does not let "
        "events.amazonaws.com send.",
        "Make the rule in us-east-1 and give the queue its policy: docs/events.md."},
    FindingDef{"PCW3408", kEvents, kWarn, kPerformance, "changes that are not delivered",
               "The webhook or the bus refuses them or is away, or no service with the role events "
               "runs.",
               "See the error; they are kept and tried again until events.out.give_up_after."},
    FindingDef{"PCW3409", kEvents, kWarn, kPerformance, "changes whose delivery was given up",
               "They could not be delivered for events.out.give_up_after, or the bus refused them "
               "for good.",
               "Fix the target, then `pcw events redeliver`; they are kept for 30 days."},
};

}  // namespace

std::string_view NameOf(Level level) {
  return level == kError ? "ERROR" : level == kWarn ? "WARN" : "INFO";
}

std::span<const SectionDef> Sections() { return kSections; }

const SectionDef& DefOf(Section section) {
  const auto found = std::find_if(kSections.begin(), kSections.end(),
                                  [&](const SectionDef& def) { return def.section == section; });
  PCW_ASSERT(found != kSections.end());
  return *found;
}

const SectionDef* FindSection(std::string_view name_or_number) {
  const auto found = std::find_if(kSections.begin(), kSections.end(), [&](const SectionDef& def) {
    return def.name == name_or_number || def.number == name_or_number;
  });
  return found == kSections.end() ? nullptr : &*found;
}

std::span<const FindingDef> Catalogue() { return kCatalogue; }

const FindingDef& DefOf(std::string_view code) {
  const auto found = std::find_if(kCatalogue.begin(), kCatalogue.end(),
                                  [&](const FindingDef& def) { return def.code == code; });
  PCW_ASSERT(found != kCatalogue.end());
  return *found;
}

std::string FormatCatalogue() {
  std::string page;
  for (const SectionDef& section : kSections) {
    page += fmt::format("### {} {}\n\n", section.number, section.title);
    for (const FindingDef& def : kCatalogue) {
      if (def.section != section.section) continue;
      page += fmt::format("#### {}\n\n{}: {}. {} **Fix:** {}\n\n", def.code, NameOf(def.level),
                          def.title, def.cause, def.fix);
    }
  }
  return page;
}

}  // namespace pcw::diagnose
