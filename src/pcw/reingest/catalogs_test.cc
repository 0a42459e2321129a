#include "pcw/reingest/catalogs.h"

#include <gtest/gtest.h>

namespace pcw::reingest {
namespace {

std::string CatalogIn(const std::vector<std::string>& payloads) {
  lake::ScannedPart part;
  for (const std::string& payload : payloads) {
    lake::ScannedLine line;
    line.payload = payload;
    part.lines.push_back(line);
  }
  return CatalogNamedIn(part);
}

TEST(CatalogNamedInTest, TheRecordSaysItself) {
  EXPECT_EQ(CatalogIn({R"({"Id":"O1","Catalog":"Sandbox"})"}), "Sandbox");
}

TEST(CatalogNamedInTest, TheFirstRecordThatNamesOneCounts) {
  EXPECT_EQ(CatalogIn({R"({"Id":"O1"})", R"({"Catalog":"AWS"})", R"({"Catalog":"Sandbox"})"}),
            "AWS");
}

TEST(CatalogNamedInTest, ARecordThatCannotBeReadIsPassedOver) {
  EXPECT_EQ(CatalogIn({"not json", R"({"Catalog":"AWS"})"}), "AWS");
}

TEST(CatalogNamedInTest, ACatalogThatIsNoTextIsNone) {
  EXPECT_EQ(CatalogIn({R"({"Catalog":7})", R"({"Catalog":""})", R"({"Catalog":null})"}), "");
}

TEST(CatalogNamedInTest, ACatalogWithinAMemberIsNotTheRecords) {
  EXPECT_EQ(CatalogIn({R"({"Project":{"Catalog":"AWS"}})"}), "");
}

TEST(CatalogNamedInTest, APartWithoutLinesNamesNone) { EXPECT_EQ(CatalogIn({}), ""); }

}  // namespace
}  // namespace pcw::reingest
