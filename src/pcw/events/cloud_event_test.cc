#include "pcw/events/cloud_event.h"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "pcw/base/json.h"
#include "pcw/base/time.h"

namespace pcw::events {
namespace {

const CloudEventScope kTeller{.tenant_id = "00000000-0000-0000-0000-000000000001",
                              .tenant_name = "default"};

tables::ChangeScope RunOf(std::string_view catalog = "AWS") {
  return {.run_id = "r",
          .connector_id = 1,
          .entity = "opportunities",
          .catalog = catalog,
          .mode = connector::RunMode::kFetch};
}

tables::LandedChange Change(bool is_new = false) {
  return {.id = "O1234567",
          .is_new = is_new,
          .version = "2026-11-23T09:31:12.750Z",
          .modified_at = ParseRfc3339("2026-11-23T09:31:12.750Z").value(),
          .payload_sha256 = std::string(64, 'a'),
          .columns = {"stage", "customer_company_name"}};
}

TEST(CloudEventTest, AnUpdateHasTheRequiredAttributesAndNamesOfColumnsOnly) {
  const CloudEvent event = MakeCloudEvent(kTeller, RunOf(), Change());

  const Json json = ParseJson(event.body).value();
  EXPECT_EQ(json["specversion"], "1.0");
  EXPECT_EQ(json["id"], event.id);
  EXPECT_EQ(json["source"], "/pcw/default/partner-central/AWS");
  EXPECT_EQ(json["type"], "com.pcw.opportunity.updated");
  EXPECT_EQ(json["subject"], "opportunities/O1234567");
  EXPECT_EQ(json["time"], "2026-11-23T09:31:12.750Z");
  EXPECT_EQ(json["datacontenttype"], "application/json");
  EXPECT_EQ(json["data"].dump(),
            R"({"catalog":"AWS","changed":["stage","customer_company_name"],"id":"O1234567",)"
            R"("version":"2026-11-23T09:31:12.750Z"})");
}

TEST(CloudEventTest, ANewRecordIsCreated) {
  const CloudEvent event = MakeCloudEvent(kTeller, RunOf(), Change(true));
  EXPECT_EQ(event.type, "com.pcw.opportunity.created");
  EXPECT_FALSE(ParseJson(event.body).value()["data"].contains("changed"));
}

TEST(CloudEventTest, TheSameChangeMakesTheSameEventAndEveryOtherAnother) {
  const CloudEvent event = MakeCloudEvent(kTeller, RunOf(), Change());
  EXPECT_EQ(MakeCloudEvent(kTeller, RunOf(), Change()).body, event.body);
  EXPECT_EQ(event.id.size(), 32U);

  tables::LandedChange later = Change();
  later.version = "2026-11-23T09:31:12.751Z";
  EXPECT_NE(MakeCloudEvent(kTeller, RunOf(), later).id, event.id);
  tables::LandedChange other_bytes = Change();
  other_bytes.payload_sha256 = std::string(64, 'b');
  EXPECT_NE(MakeCloudEvent(kTeller, RunOf(), other_bytes).id, event.id);
  EXPECT_NE(MakeCloudEvent(kTeller, RunOf("Sandbox"), Change()).id, event.id);
  CloudEventScope other = kTeller;
  other.tenant_id = "another";
  EXPECT_NE(MakeCloudEvent(other, RunOf(), Change()).id, event.id);
}

}  // namespace
}  // namespace pcw::events
