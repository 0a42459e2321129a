#include "pcw/aws/credentials/unused_settings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pcw::aws {
namespace {

using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::IsEmpty;

TEST(FindUnusedSettingsTest, NamesWhatIsGivenAndNotFollowedAndNothingElse) {
  ProfileFiles files;
  files.profiles["x"] = {{"retry_mode", "adaptive"},
                         {"sts_regional_endpoints", "Regional"},
                         {"s3.use_accelerate_endpoint", "true"},
                         {"use_fips_endpoint", "true"},
                         {"ca_bundle", "/x"}};
  files.profiles["other"] = {{"max_attempts", "9"}};

  EXPECT_THAT(FindUnusedSettings({{"AWS_MAX_ATTEMPTS", "9"},
                                  {"AWS_STS_REGIONAL_ENDPOINTS", "legacy"},
                                  {"AWS_RETRY_MODE", ""},
                                  {"AWS_USE_FIPS_ENDPOINT", "true"}},
                                 files, "x"),
              ElementsAre(Field(&UnusedSetting::name, "AWS_MAX_ATTEMPTS"),
                          Field(&UnusedSetting::name, "AWS_STS_REGIONAL_ENDPOINTS"),
                          Field(&UnusedSetting::name, "profile x: retry_mode"),
                          Field(&UnusedSetting::name, "profile x: s3.use_accelerate_endpoint")));
  EXPECT_THAT(FindUnusedSettings({}, files, "absent"), IsEmpty());
}

}  // namespace
}  // namespace pcw::aws
