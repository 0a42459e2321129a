// What is served beside opportunities: solutions, leads, partners, AWS's own view.
#include <algorithm>
#include <map>
#include <set>
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "fakes/sim_service.h"
#include "pcw/base/digest.h"
#include "pcw/sim/partner_central/service.h"

namespace pcw::sim {
namespace {

using net::server::Response;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;

class ServiceEntitiesTest : public ServiceTest {
 protected:
  void SetUp() override {
    Start({.leads = 30, .solutions = 45, .profiles = 120, .quota = QuotaMode::kOff});
  }

  /// A page or record; expects success.
  Json Ask(const std::string& operation, Json members) {
    members["Catalog"] = "AWS";
    const Response response = Call(operation, members.dump());
    EXPECT_EQ(response.status, 200) << operation << ' ' << response.body;
    return Body(response);
  }
  std::string ErrorOf(const std::string& operation, Json members) {
    members["Catalog"] = "AWS";
    return Call(operation, members.dump()).body;
  }
  Json AskAccount(const std::string& operation, Json members) {
    members["Catalog"] = "AWS";
    SignedParts parts = Parts("", members.dump());
    parts.target = "PartnerCentralAccount." + operation;
    parts.service = "partnercentral-account";
    const Response response = Send(parts);
    EXPECT_EQ(response.status, 200) << operation << ' ' << response.body;
    return Body(response);
  }
  /// Lines of the oracle by id.
  std::map<std::string, Json> Truth(Entity entity) {
    std::map<std::string, Json> rows;
    std::istringstream lines(service->content(Catalog::kAws).Truth(entity));
    for (std::string line; std::getline(lines, line);) {
      Json row = *ParseJson(line);
      rows[row["id"].get<std::string>()] = row;
    }
    return rows;
  }
  Json Invitations(const std::string& status) {
    return Ask("ListEngagementInvitations", {{"ParticipantType", "RECEIVER"},
                                             {"PayloadType", {"LeadInvitation"}},
                                             {"Status", {status}},
                                             {"MaxResults", 100}})["EngagementInvitationSummaries"];
  }
};

TEST_F(ServiceEntitiesTest, SolutionsArePagedToTheEndInOrder) {
  std::vector<std::string> ids;
  Json request{{"Sort", {{"SortBy", "Identifier"}, {"SortOrder", "ASCENDING"}}}};
  for (int pages = 1;; ++pages) {
    const Json page = Ask("ListSolutions", request);
    for (const Json& solution : page["SolutionSummaries"]) ids.push_back(solution["Id"]);
    if (!page.contains("NextToken")) {
      EXPECT_EQ(pages, 3);
      break;
    }
    request["NextToken"] = page["NextToken"];
  }

  EXPECT_THAT(ids, SizeIs(45));
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
  EXPECT_THAT(ids.front(), MatchesRegex("S-[0-9]+"));
  request["Status"] = {"Draft"};
  EXPECT_THAT(ErrorOf("ListSolutions", request), HasSubstr("does not belong to this request"));
}

TEST_F(ServiceEntitiesTest, SolutionFiltersSelectWhatTheElementsSay) {
  const Json drafts = Ask("ListSolutions", {{"Status", {"Draft"}}, {"MaxResults", 100}});
  ASSERT_FALSE(drafts["SolutionSummaries"].empty());
  for (const Json& solution : drafts["SolutionSummaries"]) EXPECT_EQ(solution["Status"], "Draft");
  const std::string id = drafts["SolutionSummaries"][0]["Id"];

  EXPECT_EQ(Ask("ListSolutions", {{"Identifier", {id}}})["SolutionSummaries"].size(), 1U);
  EXPECT_EQ(Ask("ListSolutions", {{"Identifier", {id}}, {"Status", {"Active"}}}).dump(),
            R"({"SolutionSummaries":[]})");
}

TEST_F(ServiceEntitiesTest, ListedEngagementsAreThoseOfTheContextTypesAskedFor) {
  const Json leads = Ask("ListEngagements", {{"ContextTypes", {"Lead"}}, {"MaxResults", 100}});

  EXPECT_EQ(leads["EngagementSummaryList"].size(), 12U);  // two of five leads are visible
  bool has_project = false;
  for (const Json& engagement : leads["EngagementSummaryList"]) {
    const auto types = engagement["ContextTypes"].get<std::set<std::string>>();
    EXPECT_TRUE(types.contains("Lead"));
    has_project = has_project || types.contains("CustomerProject");
    const Json body = Ask("GetEngagement", {{"Identifier", engagement["Arn"]}});
    EXPECT_EQ(body["Id"], engagement["Id"]);
    EXPECT_EQ(body["ModifiedAt"], engagement["ModifiedAt"]);
    EXPECT_EQ(body["Contexts"].size(), types.size());
  }
  EXPECT_TRUE(has_project);
  const Json projects = Ask("ListEngagements", {{"ExcludeContextTypes", {"Lead"}}});
  EXPECT_EQ(projects["EngagementSummaryList"].size(), 3U);
}

TEST_F(ServiceEntitiesTest, InvitationsAreListedByStatusAndReceiver) {
  EXPECT_THAT(ErrorOf("ListEngagementInvitations", Json::object()), HasSubstr("ParticipantType"));
  EXPECT_EQ(Invitations("PENDING").size(), 6U);
  EXPECT_EQ(Invitations("REJECTED").size(), 6U);
  int unnamed = 0;
  for (const Json& invitation : Invitations("PENDING")) {
    const Json body = Ask("GetEngagementInvitation", {{"Identifier", invitation["Arn"]}});
    EXPECT_EQ(body["Id"], invitation["Id"]);
    EXPECT_FALSE(body["Payload"]["LeadInvitation"]["Customer"]["CompanyName"].empty());
    if (!invitation.contains("EngagementId")) {
      ++unnamed;
    } else {
      EXPECT_THAT(ErrorOf("GetEngagement", {{"Identifier", invitation["EngagementId"]}}),
                  HasSubstr("ResourceNotFoundException"));
    }
  }
  EXPECT_EQ(unnamed, 1);
}

TEST_F(ServiceEntitiesTest, AnInvitationIsAnsweredOnce) {
  const Json invitation = Invitations("PENDING")[0];
  const Json request{{"Identifier", invitation["Id"]}};
  Json body = request;
  body["Catalog"] = "AWS";

  const Response accepted = Call("AcceptEngagementInvitation", body.dump());

  EXPECT_EQ(accepted.status, 200);
  EXPECT_THAT(accepted.body, IsEmpty());
  EXPECT_THAT(ErrorOf("AcceptEngagementInvitation", request), HasSubstr("ConflictException"));
  EXPECT_THAT(ErrorOf("RejectEngagementInvitation", request), HasSubstr("ConflictException"));
  EXPECT_EQ(Invitations("PENDING").size(), 5U);
}

TEST_F(ServiceEntitiesTest, AcceptingMakesTheEngagementVisibleAndModified) {
  const Json invitation = Invitations("PENDING")[0];
  ASSERT_TRUE(invitation.contains("EngagementId"));
  Leads& leads = service->content(Catalog::kAws).leads();

  EXPECT_THAT(
      leads.Settle({invitation["Id"], "engi-none"}, InvitationStatus::kAccepted, clock.Now()),
      SizeIs(1));

  const Json engagement = Ask("GetEngagement", {{"Identifier", invitation["EngagementId"]}});
  EXPECT_GT(engagement["ModifiedAt"], engagement["CreatedAt"]);
  EXPECT_EQ(Truth(Entity::kLeads)[invitation["EngagementId"]]["state"], "accepted");
}

TEST_F(ServiceEntitiesTest, TheTruthIsTheHashOfWhatIsServed) {
  const auto leads = Truth(Entity::kLeads);
  std::map<std::string, int> states;
  for (const auto& [id, row] : leads) {
    ++states[row["state"].get<std::string>()];
    if (row["state"] != "accepted") continue;
    const Json request{{"Catalog", "AWS"}, {"Identifier", id}};
    EXPECT_EQ(Sha256Hex(Call("GetEngagement", request.dump()).body), row["sha256"]);
  }
  EXPECT_EQ(states, (std::map<std::string, int>{
                        {"accepted", 12}, {"expired", 6}, {"invited", 6}, {"rejected", 6}}));

  const auto summaries = Truth(Entity::kAwsSummaries);
  const Json request{{"Catalog", "AWS"}, {"RelatedOpportunityIdentifier", Id(3)}};
  EXPECT_EQ(Sha256Hex(Call("GetAwsOpportunitySummary", request.dump()).body),
            summaries.at(Id(3))["sha256"]);
}

TEST_F(ServiceEntitiesTest, ModifyingChangesBytesAndNothingThatTheListOfOpportunitiesShows) {
  CatalogContent& content = service->content(Catalog::kAws);
  for (const Entity entity :
       {Entity::kSolutions, Entity::kProfiles, Entity::kAwsSummaries, Entity::kLeads}) {
    const auto before = Truth(entity);
    const auto opportunities = Truth(Entity::kOpportunities);

    const auto ids = content.Apply(entity, {.count = 4, .now = clock.Now()});

    ASSERT_THAT(ids, Succeeds());
    EXPECT_THAT(*ids, SizeIs(4));
    auto after = Truth(entity);
    for (const std::string& id : *ids) EXPECT_NE(before.at(id)["sha256"], after[id]["sha256"]);
    EXPECT_EQ(Truth(Entity::kOpportunities), opportunities);
  }
}

TEST_F(ServiceEntitiesTest, PartnersArePagedByFiftyAndChangeTheirVisibility) {
  const Json first = AskAccount("ListPartners", Json::object());
  ASSERT_EQ(first["PartnerSummaryList"].size(), 50U);
  const Json last =
      AskAccount("ListPartners",
                 {{"NextToken",
                   AskAccount("ListPartners", {{"NextToken", first["NextToken"]}})["NextToken"]}});
  EXPECT_EQ(last["PartnerSummaryList"].size(), 20U);
  EXPECT_FALSE(last.contains("NextToken"));

  const Json request{{"Identifier", first["PartnerSummaryList"][7]["Arn"]}};
  const std::string id = first["PartnerSummaryList"][7]["Id"];
  const Json before = AskAccount("GetProfileVisibility", request);
  const std::string profile = AskAccount("GetPartner", request)["Profile"].dump();
  ASSERT_THAT(service->content(Catalog::kAws).Apply(Entity::kProfiles, {.ids = {{id}}}),
              Succeeds());

  EXPECT_NE(AskAccount("GetProfileVisibility", request)["Visibility"], before["Visibility"]);
  EXPECT_NE(AskAccount("GetPartner", request)["Profile"].dump(), profile);
}

TEST_F(ServiceEntitiesTest, IdentifiersAreBookedAsText) {
  const Json invitation = Invitations("PENDING")[0];
  Ask("GetEngagementInvitation", {{"Identifier", invitation["Arn"]}});
  EXPECT_EQ(std::string(LastCall().name.data()), invitation["Id"]);
  EXPECT_EQ(LastCall().identifier, 0U);

  Ask("GetAwsOpportunitySummary", {{"RelatedOpportunityIdentifier", Id(0)}});
  EXPECT_THAT(std::string(LastCall().name.data()), IsEmpty());
  EXPECT_EQ("O" + std::to_string(LastCall().identifier), Id(0));
}

TEST_F(ServiceEntitiesTest, RecordsCanBeSpoiltWhateverTheyAre) {
  Faults(R"({"kind":"bad_record","variant":"missing_id"},{"kind":"unknown_enum"},
            {"kind":"unknown_member"})");

  // Any fault makes the reply a raw one.
  const auto bytes = [&](const std::string& operation, const std::string& body) {
    return std::get<net::server::RawReply>(service->Handle(SignForSim(Parts(operation, body))))
        .bytes;
  };
  const std::string solutions = bytes("ListSolutions", R"({"Catalog":"AWS","MaxResults":1})");
  EXPECT_THAT(solutions, Not(HasSubstr("\"Id\":")));
  EXPECT_THAT(solutions, HasSubstr("FutureMember"));
  EXPECT_THAT(solutions, HasSubstr(R"x("Status":"Nurturing (new)")x"));
  const Json request{{"Catalog", "AWS"}, {"RelatedOpportunityIdentifier", Id(0)}};
  EXPECT_THAT(bytes("GetAwsOpportunitySummary", request.dump()), HasSubstr(R"({"Origin")"));
}

TEST_F(ServiceEntitiesTest, ReadsShareTheReadQuotaAndAnswersHaveTheirOwn) {
  Start({.leads = 10});
  const std::string list = R"({"Catalog":"AWS"})";
  for (int i = 0; i < 10; ++i) Call("ListSolutions", list);
  EXPECT_EQ(LastCall().outcome, Outcome::kOk);
  Call("ListEngagements", list);
  EXPECT_EQ(LastCall().outcome, Outcome::kRefusedSecond);

  Call("AcceptEngagementInvitation", R"({"Catalog":"AWS","Identifier":"engi-0000000000000"})");
  EXPECT_EQ(LastCall().outcome, Outcome::kNotFound);
}

}  // namespace
}  // namespace pcw::sim
