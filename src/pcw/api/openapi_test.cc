#include "pcw/api/openapi.h"

#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "pcw/api/route.h"

namespace pcw::api {
namespace {

TEST(OpenApiTest, TheCommittedDescriptionIsTheOneThatIsServed) {
  std::ifstream file(std::string(PCW_SOURCE_DIR) + "/docs/openapi.json");
  std::stringstream committed;
  committed << file.rdbuf();
  const auto json = ParseJson(committed.str());
  ASSERT_TRUE(json.has_value()) << "docs/openapi.json";

  EXPECT_EQ(committed.str(), MakeOpenApi((*json)["info"]["version"].get<std::string>()))
      << "make it anew with: pcw serve --openapi > docs/openapi.json";
}

TEST(OpenApiTest, EveryRouteIsThereAndEveryReferenceLeadsSomewhere) {
  const auto json = ParseJson(MakeOpenApi("1"));
  ASSERT_TRUE(json.has_value());
  std::size_t operations = 0;
  for (const auto& [path, methods] : (*json)["paths"].items()) operations += methods.size();
  EXPECT_EQ(operations, Routes().size());
  for (const Route& route : Routes()) {
    EXPECT_TRUE((*json)["paths"].contains(std::string(route.path))) << route.path;
    EXPECT_TRUE((*json)["components"]["schemas"].contains(std::string(route.schema)))
        << route.path << " " << route.schema;
  }
}

}  // namespace
}  // namespace pcw::api
