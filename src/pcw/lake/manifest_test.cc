#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fakes/result_matchers.h"
#include "pcw/base/json.h"
#include "pcw/lake/part.h"

namespace pcw::lake {
namespace {

Json Stored() {
  Manifest manifest;
  manifest.run_id = "7f";
  manifest.catalog = "AWS";
  manifest.served_from = "2026-11-23T08:00:00Z";
  manifest.mapping_version = 4;
  manifest.parts = {{"d/run-7f/data.json", "00ff", 1'234, 5}};
  manifest.pages = {{"req-1", 5, "O1", "O5"}};
  return Json::parse(FormatManifest(manifest));
}

TEST(ParseManifestTest, WhatIsNotJsonIsRefused) {
  EXPECT_FALSE(ParseManifest("").has_value());
  EXPECT_FALSE(ParseManifest("{").has_value());
}

TEST(ParseManifestTest, AnArrayIsNotAManifest) {
  EXPECT_THAT(ParseManifest("[]"), FailsWith(ErrorCode::kSchemaMismatch));
}

TEST(ParseManifestTest, EveryMemberButTheLatestMustBeThere) {
  const Json stored = Stored();
  for (const auto& [name, value] : stored.items()) {
    Json without = stored;
    without.erase(name);
    EXPECT_EQ(ParseManifest(without.dump()).has_value(), name == "served_from") << name;
  }
}

TEST(ParseManifestTest, AManifestOfBeforeTheTimeOfServingTellsNone) {
  Json older = Stored();
  older.erase("served_from");
  EXPECT_EQ(ParseManifest(older.dump())->served_from, "");
}

TEST(ParseManifestTest, APartWithoutItsDigestIsRefused) {
  Json manifest = Stored();
  manifest["parts"][0].erase("sha256");
  EXPECT_THAT(ParseManifest(manifest.dump()), FailsWith(ErrorCode::kSchemaMismatch));
}

TEST(ParseManifestTest, AMemberOfAnotherTypeIsRefused) {
  Json manifest = Stored();
  manifest["parts"][0]["bytes"] = "many";
  EXPECT_THAT(ParseManifest(manifest.dump()), FailsWith(ErrorCode::kSchemaMismatch));
}

TEST(ParseManifestTest, MembersOfANewerPcwAreNoMatter) {
  Json manifest = Stored();
  manifest["added_later"] = true;
  EXPECT_THAT(ParseManifest(manifest.dump()), Succeeds());
}

}  // namespace
}  // namespace pcw::lake
