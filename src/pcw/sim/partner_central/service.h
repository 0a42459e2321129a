// One simulated account: takes a signed request, books it, checks it in AWS's order, answers it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "pcw/base/clock.h"
#include "pcw/base/json.h"
#include "pcw/base/result.h"
#include "pcw/net/server/message.h"
#include "pcw/sim/account_state.h"
#include "pcw/sim/events/event_source.h"
#include "pcw/sim/facts.h"
#include "pcw/sim/faults.h"
#include "pcw/sim/keys.h"
#include "pcw/sim/ledger.h"
#include "pcw/sim/partner_central/catalog_content.h"
#include "pcw/sim/partner_central/collection.h"
#include "pcw/sim/partner_central/page_token.h"
#include "pcw/sim/partner_central/selling.h"
#include "pcw/sim/quota.h"
#include "pcw/sim/server.h"
#include "pcw/sim/signature.h"
#include "pcw/sim/sts/sts.h"

namespace pcw::sim {

/// The account behind the port. Thread-safe.
///
/// Order of checks: operation and content type, signature, throttling, form, permission, existence.
/// Faults are decided when a call arrives and take effect at their own place in that order.
class Service {
 public:
  static Result<std::unique_ptr<Service>> Create(const SimOptions& options, const Clock& clock);

  /// Answers one request to the AWS surface (anything not under /_sim).
  net::server::Reply Handle(const net::server::Request& request);

  CatalogContent& content(Catalog catalog) { return catalog == Catalog::kAws ? aws_ : sandbox_; }
  Collection& collection(Catalog catalog) { return content(catalog).opportunities(); }
  Ledger& ledger() { return ledger_; }
  FaultEngine& faults() { return faults_; }
  Account& account() { return account_; }
  Keys& keys() { return keys_; }
  EventSource& events() { return events_; }
  const Facts& facts() const { return facts_; }
  WallTime now() const { return clock_.Now(); }

 private:
  struct Call;

  Service(const SimOptions& options, const Clock& clock, Facts facts);

  void Identify(const net::server::Request& request, Call& call) const;
  Answer Execute(const net::server::Request& request, Call& call);
  Answer ExecuteSts(const OperationFacts& facts, const Key& caller, const Call& call) const;
  Answer ExecuteJson(const OperationFacts& facts, const Key& caller, Call& call);
  Answer ListOpportunities(Call& call);
  std::optional<Answer> Admit(const OperationFacts& facts, Call& call);
  std::optional<Answer> Deny(const OperationFacts& facts, const Key& caller,
                             const Call& call) const;
  net::server::Response Render(const Answer& answer, const Call& call, std::uint64_t seq) const;

  const Clock& clock_;
  const Facts facts_;
  const std::uint64_t seed_;
  const std::chrono::milliseconds latency_;
  Account account_;
  Keys keys_;
  const SignatureVerifier verifier_;
  Quota quota_;
  Ledger ledger_;
  FaultEngine faults_;
  TokenMint mint_;
  EventSource events_;
  CatalogContent aws_;
  CatalogContent sandbox_;
  Selling selling_;
  const Sts sts_;
};

}  // namespace pcw::sim
