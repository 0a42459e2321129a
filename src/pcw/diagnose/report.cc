#include "pcw/diagnose/report.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "pcw/base/log.h"
#include "pcw/diagnose/catalogue.h"
#include "pcw/diagnose/rules.h"

namespace pcw::diagnose {
namespace {

// What was asked for, and whatever keeps it from being judged: nothing works without a
// configuration, nobody is asked who cannot be reached, and whose quota it is only the credentials
// tell.
bool IsWanted(const Finding& finding, std::span<const Section> sections, const Facts& facts) {
  const auto has = [&](Section section) {
    return std::find(sections.begin(), sections.end(), section) != sections.end();
  };
  const Section section = finding.def->section;
  if (sections.empty() || has(section)) return true;
  if (finding.def->level != Level::kError) return false;
  if (section == Section::kSetup || section == Section::kConnectivity) return true;
  return section == Section::kAuth && has(Section::kRateLimits) && !facts.ledger;
}

// Health against a simulator that somebody forgot is not health of a partner's data.
std::string NotAws(const Facts& facts) {
  for (const EndpointFacts& endpoint : facts.endpoints) {
    if (endpoint.is_override && endpoint.service == "partnercentral-selling")
      return fmt::format(" (calls go to {}, by {})", endpoint.url, endpoint.origin);
  }
  return "";
}

std::string VerdictOf(const Report& report, const Facts& facts, const EscalationMatrix& matrix) {
  if (report.worst == Level::kInfo) return "healthy: nothing to do" + NotAws(facts);
  const auto count = [&](Level level) {
    return std::count_if(report.findings.begin(), report.findings.end(),
                         [&](const Finding& finding) { return finding.def->level == level; });
  };
  const auto errors = count(Level::kError), warnings = count(Level::kWarn);
  const Finding& first = report.findings.front();
  return fmt::format("{} ({} error{}, {} warning{}); first: {} {} ({}); call: {}",
                     report.worst == Level::kError ? "not healthy" : "needs a look", errors,
                     errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s", first.def->code,
                     first.def->title, first.resource,
                     OwnerOf(matrix, first.def->issue).first_responder);
}

// A name that comes again makes a list of its values.
void AddEvidenceMember(OrderedJson& evidence, const std::string& name, const std::string& value) {
  if (!evidence.contains(name)) {
    evidence[name] = value;
    return;
  }
  if (!evidence[name].is_array()) evidence[name] = OrderedJson::array({evidence[name]});
  evidence[name].push_back(value);
}

}  // namespace

Report MakeReport(const Facts& facts, std::span<const Section> sections,
                  const EscalationMatrix& matrix) {
  Report report;
  for (Finding& finding : Judge(facts)) {
    if (!IsWanted(finding, sections, facts)) continue;
    report.worst = std::max(report.worst, finding.def->level);
    report.findings.push_back(std::move(finding));
  }
  report.verdict = VerdictOf(report, facts, matrix);
  return report;
}

std::string FormatReport(const Report& report, const EscalationMatrix& matrix) {
  std::string text;
  for (const Finding& finding : report.findings) {
    text += fmt::format("{} [{}] ({}) {}\n", NameOf(finding.def->level), finding.def->code,
                        Printable(finding.resource), Printable(finding.message));
    if (finding.def->level != Level::kInfo)
      text += fmt::format("  cause: {}\n", finding.def->cause);
    for (const auto& [name, value] : finding.evidence) {
      if (!value.empty()) text += fmt::format("  {}: {}\n", name, Printable(value));
    }
    for (const std::string& step : finding.next_steps)
      text += fmt::format("  next: {}\n", Printable(step));
    if (finding.def->level != Level::kInfo) {
      const Escalation& owner = OwnerOf(matrix, finding.def->issue);
      text += fmt::format("  owner: {}; then {} ({})\n", owner.first_responder, owner.escalation,
                          owner.issue);
    }
  }
  return text + fmt::format("verdict: {}\n", Printable(report.verdict));
}

OrderedJson ReportToJson(const Report& report, const EscalationMatrix& matrix) {
  OrderedJson json;
  json["verdict"] = {{"level", NameOf(report.worst)}, {"text", report.verdict}};
  json["findings"] = OrderedJson::array();
  for (const Finding& finding : report.findings) {
    const SectionDef& section = DefOf(finding.def->section);
    const Escalation& owner = OwnerOf(matrix, finding.def->issue);
    OrderedJson evidence = OrderedJson::object();
    for (const auto& [name, value] : finding.evidence) AddEvidenceMember(evidence, name, value);
    json["findings"].push_back({{"code", finding.def->code},
                                {"level", NameOf(finding.def->level)},
                                {"section", section.name},
                                {"runbook", section.number},
                                {"title", finding.def->title},
                                {"resource", finding.resource},
                                {"message", finding.message},
                                {"cause", finding.def->cause},
                                {"evidence", std::move(evidence)},
                                {"next_steps", finding.next_steps},
                                {"owner",
                                 {{"issue", owner.issue},
                                  {"first_responder", owner.first_responder},
                                  {"escalation", owner.escalation}}},
                                {"doc", fmt::format("docs/errors.md#{}", finding.def->code)}});
  }
  return json;
}

}  // namespace pcw::diagnose
