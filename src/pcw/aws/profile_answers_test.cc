// pcw beside recorded answers of AWS's own parser and chain (tests/fixtures/aws_profiles).
#include <filesystem>
#include <fstream>
#include <regex>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "fakes/fake_http.h"
#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"
#include "pcw/aws/credentials/credentials_chain.h"
#include "pcw/base/file.h"
#include "pcw/base/json.h"

namespace pcw::aws {
namespace {

/// STS as the recording script has it: the key id names the role and who signed.
class RoleTellingSts final : public net::HttpClient {
 public:
  Result<net::HttpResponse> Send(const net::HttpRequest& request, const net::HttpLimits& /*limits*/,
                                 std::stop_token /*stop*/) override {
    const std::string body(request.payload());
    std::smatch found;
    EXPECT_TRUE(std::regex_search(body, found, std::regex("RoleArn=[^&]*%2F([A-Za-z]+)")));
    const std::string role = found[1];
    std::string signer = "a token";
    const std::string header(net::FindHeader(request.headers, "Authorization").value_or(""));
    if (std::regex_search(header, found, std::regex("Credential=([^/]*)/"))) signer = found[1];
    const std::string action = body.substr(7, body.find('&') - 7);
    return net::Reply(
        200, "<" + action + "Response><" + action + "Result><Credentials><AccessKeyId>" + role +
                 " with " + signer +
                 "</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
                 "<Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></" +
                 action + "Result></" + action + "Response>");
  }
};

class ProfileAnswersTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string path = (std::filesystem::temp_directory_path() / "pcw-answers-XXXXXX").string();
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    home = path;
    std::ofstream(home / "TOKEN") << "token";
  }
  void TearDown() override { std::filesystem::remove_all(home); }

  std::string Replaced(std::string text, const std::string& what, const std::string& with) const {
    for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += with.size())
      text.replace(at, what.size(), with);
    return text;
  }
  void Write(const char* name, const Json& text) const {
    std::ofstream(home / name) << Replaced(text.get<std::string>(), "= TOKEN\n",
                                           "= " + (home / "TOKEN").string() + "\n");
  }
  Environment EnvironmentOf(const Json& one) const {
    Environment environment{{"HOME", home.string()},
                            {"PATH", "/usr/bin:/bin"},
                            {"AWS_CONFIG_FILE", (home / "config").string()},
                            {"AWS_SHARED_CREDENTIALS_FILE", (home / "credentials").string()},
                            {"AWS_EC2_METADATA_DISABLED", "true"}};
    for (const auto& [name, value] : one["environment"].items()) {
      environment[name] = value == "TOKEN" ? (home / "TOKEN").string() : value.get<std::string>();
    }
    return environment;
  }
  Json AsJson(const std::map<std::string, ProfileSettings>& sections) const {
    Json json = Json::object();
    for (const auto& [name, settings] : sections) {
      json[name] = Json::object();
      for (const auto& [key, value] : settings)
        json[name][key] = Replaced(value, (home / "TOKEN").string(), "TOKEN");
    }
    return json;
  }
  Result<CredentialsPtr> Identity(const Environment& environment) {
    const ProfileDeps access{.sts = {.http = sts,
                                     .clock = clock,
                                     .sleeper = sleeper,
                                     .rng = rng,
                                     .environment = environment,
                                     .region = "us-east-1",
                                     .profile = "default"},
                             .metadata = sts};
    return MakeCredentialsChain(access, {.profile = "",
                                         .role_arn = "",
                                         .external_id = "",
                                         .reference_file = "",
                                         .candidate = std::nullopt})
        ->Fetch({});
  }

  std::filesystem::path home;
  RoleTellingSts sts;
  FakeClock clock;
  FakeSleeper sleeper{clock};
  FakeRng rng;
};

TEST_F(ProfileAnswersTest, EveryFileIsReadAndEveryIdentityFoundAsTheAwsCliDoes) {
  const Json recorded =
      *ParseJson(*ReadFile(PCW_SOURCE_DIR "/tests/fixtures/aws_profiles/answers.json", 1U << 20U));
  ASSERT_GE(recorded["cases"].size(), 60U);
  for (const Json& one : recorded["cases"]) {
    const std::string name = one["name"].get<std::string>();
    SCOPED_TRACE(name);
    const Json& answer = one["answer"];
    Write("config", one["config"]);
    Write("credentials", one["credentials"]);
    const Environment environment = EnvironmentOf(one);

    const auto files = LoadProfiles(environment);
    const auto identity = Identity(environment);

    if (answer.contains("error")) {
      EXPECT_THAT(files, FailsWith(ErrorCode::kConfig));
      continue;
    }
    ASSERT_THAT(files, Succeeds());
    EXPECT_EQ(AsJson(files->of_config), answer["profiles"]);
    EXPECT_EQ(AsJson(files->of_credentials), answer["credentials"]);
    EXPECT_EQ(AsJson(files->services), answer["services"]);
    const Json& who = answer["identity"];
    if (who.is_null()) {
      EXPECT_THAT(identity, FailsWith(ErrorCode::kUnauthenticated));
    } else if (who.contains("error")) {
      EXPECT_THAT(identity, FailsWith(ErrorCode::kConfig));
    } else {
      ASSERT_THAT(identity, Succeeds());
      EXPECT_EQ((*identity)->access_key_id, who["key"]);
      EXPECT_EQ((*identity)->secret_access_key.Reveal(), who["secret"].get<std::string>());
      EXPECT_EQ((*identity)->session_token.Reveal(), who["token"].get<std::string>());
    }
  }
}

}  // namespace
}  // namespace pcw::aws
