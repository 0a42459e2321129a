#include "pcw/api/router.h"

#include <set>

#include <gmock/gmock.h>

#include "fakes/result_matchers.h"

namespace pcw::api {
namespace {

using ::testing::ElementsAre;

TEST(RouterTest, EveryRouteIsFoundByItsOwnPath) {
  for (const Route& route : Routes()) {
    std::string path(route.path);
    for (std::size_t open = path.find('{'); open != std::string::npos; open = path.find('{'))
      path.replace(open, path.find('}') - open + 1, "x-1");
    const auto match = FindRoute(Routes(), route.method, path);
    ASSERT_THAT(match, Succeeds()) << route.path;
    EXPECT_EQ(match->route, &route) << route.path;
  }
}

TEST(RouterTest, EveryRouteDeclaresWhoMayCallIt) {
  std::set<std::string> open;
  for (const Route& route : Routes()) {
    if (route.access == Access::kPublic) {
      open.insert(std::string(route.path));
      EXPECT_EQ(route.method, "GET") << route.path;
    } else {
      EXPECT_TRUE(route.scope.has_value()) << route.method << " " << route.path;
    }
    EXPECT_NE(route.handler, nullptr) << route.path;
    EXPECT_FALSE(route.summary.empty()) << route.path;
    EXPECT_EQ(route.body.empty(), route.max_body_bytes == 0 || route.path.ends_with("/cancel"))
        << route.path;
  }
  EXPECT_THAT(open, ElementsAre("/healthz", "/openapi.json", "/readyz"));
}

TEST(RouterTest, ParametersAreGivenInOrder) {
  const auto match =
      FindRoute(Routes(), "GET", "/v1/runs/019ab6d0-0000-7000-8000-000000000001/events");
  ASSERT_THAT(match, Succeeds());
  EXPECT_THAT(match->path, ElementsAre("019ab6d0-0000-7000-8000-000000000001"));
}

TEST(RouterTest, PathsThatOnlyLookAlikeAreNotFound) {
  for (const char* path :
       {"/", "//", "//v1/runs", "/v1//runs", "/v1/runs/", "/v1/../v1/runs", "/v1/%2e%2e/runs",
        "/v1/runs/..", "/v1/runs/a%00b", "/v1/runs/a;b", "/V1/runs", "/v1/actions", "/v1/audit"}) {
    EXPECT_THAT(FindRoute(Routes(), "GET", path), FailsWith(ErrorCode::kNotFound)) << path;
  }
}

TEST(RouterTest, AnotherMethodNamesTheOnesThereAre) {
  const auto match = FindRoute(Routes(), "DELETE", "/v1/runs");
  ASSERT_FALSE(match.has_value());
  EXPECT_EQ(match.error().Find("api_status"), "405");
  EXPECT_EQ(match.error().Find("allow"), "GET, HEAD");
}

}  // namespace
}  // namespace pcw::api
