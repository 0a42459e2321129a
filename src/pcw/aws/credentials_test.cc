#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "fakes/fake_http.h"
#include "fakes/fake_time.h"
#include "fakes/result_matchers.h"
#include "pcw/aws/credentials/credentials_chain.h"
#include "pcw/aws/credentials/metadata_credentials.h"
#include "pcw/aws/credentials/process_credentials.h"
#include "pcw/aws/credentials/refreshing_credentials.h"

namespace pcw::aws {
namespace {

using net::Reply;
using std::chrono::minutes;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kDocument =
    R"({"Code":"Success","AccessKeyId":"ASIA1","SecretAccessKey":"very-secret","Token":"t1",)"
    R"("Expiration":"2030-01-01T00:00:00Z"})";

std::string StsAnswer(const std::string& operation, const std::string& id) {
  return "<" + operation + "Response><" + operation + "Result><Credentials><AccessKeyId>" + id +
         "</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>"
         "<Expiration>2030-01-01T00:00:00Z</Expiration></Credentials></" +
         operation + "Result></" + operation + "Response>";
}

Environment ProgramEnvironment() {
  return {{"PATH", "/usr/bin:/bin"}, {"PCW_DATABASE_URL", "postgresql://u:very-secret@h/d"}};
}

std::string HeaderOf(const net::HttpRequest& request, const std::string& name) {
  for (const auto& [key, value] : request.headers) {
    if (key == name) return value;
  }
  return "";
}

ChainSettings ConfiguredAs(std::string profile, std::string role_arn, std::string external_id) {
  return {.profile = std::move(profile),
          .role_arn = std::move(role_arn),
          .external_id = std::move(external_id),
          .reference_file = "",
          .candidate = std::nullopt};
}

/// An environment with files of its own, and a network that plays back.
class CredentialSourcesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string path = (std::filesystem::temp_directory_path() / "pcw-credentials-XXXXXX").string();
    ASSERT_NE(::mkdtemp(path.data()), nullptr);
    home = path;
    environment = {{"HOME", home.string()}, {"AWS_EC2_METADATA_DISABLED", "true"}};
  }
  void TearDown() override { std::filesystem::remove_all(home); }

  std::string Write(const std::string& name, const std::string& text) const {
    std::filesystem::create_directories((home / name).parent_path());
    std::ofstream(home / name) << text;
    return (home / name).string();
  }
  Result<CredentialsPtr> Chain(const ChainSettings& settings = ConfiguredAs("", "", "")) {
    return MakeCredentialsChain(Access(), settings)->Fetch(stop.get_token());
  }
  ProfileDeps Access() {
    return {.sts = {.http = sts,
                    .clock = clock,
                    .sleeper = sleeper,
                    .rng = rng,
                    .environment = environment,
                    .region = "us-east-1",
                    .profile = "default"},
            .metadata = metadata};
  }
  Result<CredentialsPtr> Container() {
    return ContainerCredentials(environment, metadata, sleeper).Fetch(stop.get_token());
  }
  Result<CredentialsPtr> Instance() {
    environment.erase("AWS_EC2_METADATA_DISABLED");
    return InstanceCredentials(environment, metadata).Fetch(stop.get_token());
  }

  std::filesystem::path home;
  Environment environment;
  net::FakeHttpClient sts, metadata;
  FakeClock clock;
  FakeSleeper sleeper{clock};
  FakeRng rng;
  std::stop_source stop;
};

TEST_F(CredentialSourcesTest, TheEnvironmentComesFirst) {
  Write(".aws/credentials", "[default]\naws_access_key_id=AKIA2\naws_secret_access_key=s\n");
  environment.insert(
      {{"AWS_ACCESS_KEY_ID", "AKIA1"}, {"AWS_SECRET_ACCESS_KEY", "s"}, {"AWS_SESSION_TOKEN", "t"}});

  const auto got = Chain();

  ASSERT_THAT(got, Succeeds());
  EXPECT_EQ((*got)->access_key_id, "AKIA1");
  EXPECT_EQ((*got)->session_token.Reveal(), "t");
}

TEST_F(CredentialSourcesTest, AProfileOfPcwsOwnConfigurationIsTheOnlySource) {
  Write(".aws/credentials", "[partner]\naws_access_key_id=AKIA2\naws_secret_access_key=s\n");
  environment.insert({{"AWS_ACCESS_KEY_ID", "AKIA1"}, {"AWS_SECRET_ACCESS_KEY", "s"}});

  EXPECT_EQ((*Chain(ConfiguredAs("partner", "", "")))->access_key_id, "AKIA2");
  EXPECT_THAT(Chain(ConfiguredAs("absent", "", "")), FailsWith(ErrorCode::kConfig));
}

TEST_F(CredentialSourcesTest, HalfOfTheKeysIsAMistakeNotAnAbsence) {
  environment["AWS_ACCESS_KEY_ID"] = "AKIA1";

  EXPECT_THAT(Chain(), FailsWith(ErrorCode::kConfig));
}

TEST_F(CredentialSourcesTest, NothingFoundSaysWhereItLooked) {
  const auto got = Chain();

  ASSERT_THAT(got, FailsWith(ErrorCode::kUnauthenticated));
  for (const char* place : {"AWS_ACCESS_KEY_ID", "/.aws/credentials", "AWS_WEB_IDENTITY_TOKEN_FILE",
                            "container endpoint", "instance metadata"}) {
    EXPECT_THAT(got.error().message(), HasSubstr(place));
  }
}

TEST_F(CredentialSourcesTest, AnExpirationInTheEnvironmentIsKept) {
  environment.insert({{"AWS_ACCESS_KEY_ID", "ASIA1"},
                      {"AWS_SECRET_ACCESS_KEY", "s"},
                      {"AWS_CREDENTIAL_EXPIRATION", "2030-01-01T00:00:00+00:00"}});
  EXPECT_EQ((*Chain())->expires_at, WallTime(seconds(1'893'456'000)));

  environment["AWS_CREDENTIAL_EXPIRATION"] = "soon";
  EXPECT_THAT(Chain(), FailsWith(ErrorCode::kConfig));
}

TEST_F(CredentialSourcesTest, ARoleIsAssumedWithTheKeysOfItsSourceProfile) {
  Write(".aws/config",
        "[profile role]\nrole_arn = arn:aws:iam::111122223333:role/Partner\nsource_profile = base\n"
        "external_id = e x\nrole_session_name = night\nduration_seconds = 3600\n"
        "[profile base]\naws_access_key_id = AKIABASE\naws_secret_access_key = s\n");
  environment["AWS_PROFILE"] = "role";
  sts.script = {Reply(200, StsAnswer("AssumeRole", "ASIAROLE"))};

  const auto got = Chain();

  ASSERT_THAT(got, Succeeds());
  EXPECT_EQ((*got)->access_key_id, "ASIAROLE");
  EXPECT_EQ((*got)->account_id, "111122223333");
  EXPECT_EQ((*got)->expires_at, WallTime(seconds(1'893'456'000)));
  EXPECT_THAT((*got)->source, HasSubstr("profile role"));
  EXPECT_EQ(sts.sent[0].body,
            "Action=AssumeRole&Version=2011-06-15&RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole"
            "%2FPartner&RoleSessionName=night&ExternalId=e%20x&DurationSeconds=3600");
  EXPECT_THAT(HeaderOf(sts.sent[0], "Authorization"), HasSubstr("Credential=AKIABASE/"));
}

TEST_F(CredentialSourcesTest, RolesChainThroughRoles) {
  Write(".aws/config",
        "[profile a]\nrole_arn = arn:aws:iam::111122223333:role/A\nsource_profile = b\n"
        "[profile b]\nrole_arn = arn:aws:iam::111122223333:role/B\nsource_profile = c\n"
        "[profile c]\naws_access_key_id = AKIAC\naws_secret_access_key = s\n");
  environment["AWS_PROFILE"] = "a";
  sts.script = {Reply(200, StsAnswer("AssumeRole", "ASIAB")),
                Reply(200, StsAnswer("AssumeRole", "ASIAA"))};

  ASSERT_EQ((*Chain())->access_key_id, "ASIAA");

  EXPECT_THAT(HeaderOf(sts.sent[0], "Authorization"), HasSubstr("AKIAC/"));
  EXPECT_THAT(HeaderOf(sts.sent[1], "Authorization"), HasSubstr("ASIAB/"));
}

TEST_F(CredentialSourcesTest, AProfileMayBeItsOwnSourceWithKeysOnly) {
  Write(".aws/config",
        "[profile a]\nrole_arn = arn:aws:iam::111122223333:role/A\nsource_profile = a\n"
        "aws_access_key_id = AKIAA\naws_secret_access_key = s\n"
        "[profile x]\nrole_arn = arn:aws:iam::111122223333:role/X\nsource_profile = y\n"
        "[profile y]\nrole_arn = arn:aws:iam::111122223333:role/Y\nsource_profile = x\n");
  sts.script = {Reply(200, StsAnswer("AssumeRole", "ASIAA"))};

  environment["AWS_PROFILE"] = "a";
  EXPECT_THAT(Chain(), Succeeds());
  environment["AWS_PROFILE"] = "x";
  EXPECT_THAT(Chain(), FailsWith(ErrorCode::kConfig));
}

TEST_F(CredentialSourcesTest, ARoleTakesItsBaseFromTheEnvironmentTheContainerOrTheInstance) {
  environment.insert({{"AWS_ACCESS_KEY_ID", "AKIAENV"},
                      {"AWS_SECRET_ACCESS_KEY", "s"},
                      {"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/v2/x"}});
  environment.erase("AWS_EC2_METADATA_DISABLED");
  sts.script = {Reply(200, StsAnswer("AssumeRole", "ASIAROLE"))};
  metadata.script = {Reply(200, kDocument), Reply(200, "token"), Reply(200, "role"),
                     Reply(200, kDocument)};
  const std::pair<const char*, const char*> bases[] = {
      {"Environment", "AKIAENV/"}, {"EcsContainer", "ASIA1/"}, {"Ec2InstanceMetadata", "ASIA1/"}};
  for (const auto& [kind, key] : bases) {
    Write(".aws/config",
          "[profile r]\nrole_arn = arn:aws:iam::111122223333:role/R\ncredential_source = " +
              std::string(kind) + "\n");
    ASSERT_THAT(Chain(ConfiguredAs("r", "", "")), Succeeds()) << kind;
    EXPECT_THAT(HeaderOf(sts.sent.back(), "Authorization"), HasSubstr(key)) << kind;
  }
}

TEST_F(CredentialSourcesTest, RolesThatNeedAPersonOrAreHalfDescribedAreRefusedWithTheWayAround) {
  const std::pair<const char*, const char*> cases[] = {
      {"role_arn = arn:aws:iam::111122223333:role/R\nsource_profile = b\nmfa_serial = m\n", "MFA"},
      {"role_arn = arn:aws:iam::111122223333:role/R\n", "exactly one of source_profile"},
      {"role_arn = arn:aws:iam::111122223333:role/R\nsource_profile = nobody\n", "nobody"},
      {"role_arn = arn:aws:iam::111122223333:role/R\ncredential_source = Moon\n", "Moon"},
      {"role_arn = arn:aws:iam::111122223333:role/R\nsource_profile = b\nduration_seconds = 10\n",
       "900 to 43200"},
      {"sso_session = corp\nsso_account_id = 1\n",
       "credential_process = aws configure export-credentials --profile p --format process"},
      {"login_session = arn\n",
       "credential_process = aws configure export-credentials --profile p --format process"},
      {"aws_access_key_id = AKIA\n", "only one of"},
      {"credential_process = \"open\n", "open"},
  };
  for (const auto& [text, expected] : cases) {
    Write(".aws/config",
          "[profile b]\naws_access_key_id = AKIAB\naws_secret_access_key = s\n[profile p]\n" +
              std::string(text));
    const auto got = Chain(ConfiguredAs("p", "", ""));
    ASSERT_THAT(got, FailsWith(ErrorCode::kConfig)) << text;
    EXPECT_THAT(got.error().message(), HasSubstr(expected)) << text;
  }
  EXPECT_TRUE(sts.sent.empty());
}

TEST_F(CredentialSourcesTest, PcwsOwnRoleGoesOnTopOfWhateverTheChainFinds) {
  environment.insert({{"AWS_ACCESS_KEY_ID", "AKIAENV"}, {"AWS_SECRET_ACCESS_KEY", "s"}});
  sts.script = {Reply(200, StsAnswer("AssumeRole", "ASIAROLE"))};

  const auto got = Chain(ConfiguredAs("", "arn:aws:iam::444455556666:role/Pcw", "tenant-7"));

  ASSERT_THAT(got, Succeeds());
  EXPECT_EQ((*got)->account_id, "444455556666");
  EXPECT_THAT(sts.sent[0].body, HasSubstr("ExternalId=tenant-7"));
}

TEST_F(CredentialSourcesTest, ARefusedRoleSaysWhichAndWhoseItIs) {
  environment.insert({{"AWS_ACCESS_KEY_ID", "AKIAENV"}, {"AWS_SECRET_ACCESS_KEY", "s"}});
  sts.script = {Reply(403,
                      "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>"
                      "not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>",
                      {{"Content-Type", "text/xml"}})};

  const auto got = Chain(ConfiguredAs("", "arn:aws:iam::444455556666:role/Pcw", ""));

  ASSERT_THAT(got, FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_THAT(got.error().ToString(), HasSubstr("arn:aws:iam::444455556666:role/Pcw"));
}

TEST_F(CredentialSourcesTest, AWebIdentityIsSentUnsignedAndReadAnewEachTime) {
  environment["AWS_ROLE_ARN"] = "arn:aws:iam::111122223333:role/Pod";
  environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = Write("token", "jwt-1\n");
  sts.script = {Reply(200, StsAnswer("AssumeRoleWithWebIdentity", "ASIAPOD"))};

  ASSERT_THAT(Chain(), Succeeds());
  Write("token", "jwt-2");
  ASSERT_THAT(Chain(), Succeeds());

  EXPECT_THAT(sts.sent[0].body, HasSubstr("&WebIdentityToken=jwt-1"));
  EXPECT_THAT(sts.sent[1].body, HasSubstr("&WebIdentityToken=jwt-2"));
  EXPECT_EQ(HeaderOf(sts.sent[0], "Authorization"), "");
}

TEST_F(CredentialSourcesTest, ATokenThatStsDoesNotTakeIsSentOnceMoreAsTheFileHoldsItThen) {
  environment["AWS_ROLE_ARN"] = "arn:aws:iam::111122223333:role/Pod";
  environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = Write("token", "jwt-1\n");
  const auto refusal = [](const std::string& type) {
    return Reply(400, "<ErrorResponse><Error><Code>" + type +
                          "</Code><Message>no</Message></Error></ErrorResponse>");
  };
  for (const char* type : {"InvalidIdentityToken", "ExpiredTokenException"}) {
    sts.sent.clear();
    sts.script = {refusal(type), Reply(200, StsAnswer("AssumeRoleWithWebIdentity", "ASIAPOD"))};
    ASSERT_THAT(Chain(), Succeeds()) << type;
    EXPECT_EQ(sts.sent.size(), 2U);
  }
  EXPECT_THAT(sleeper.slept, ElementsAre(seconds(1), seconds(1))) << "the same token waits";

  sts.sent.clear();
  sts.script = {refusal("InvalidIdentityToken")};
  EXPECT_THAT(Chain(), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_EQ(sts.sent.size(), 2U) << "once more, not for ever";

  sts.sent.clear();
  sts.script = {refusal("AccessDenied")};
  EXPECT_THAT(Chain(), FailsWith(ErrorCode::kPermissionDenied));
  EXPECT_EQ(sts.sent.size(), 1U);
}

TEST_F(CredentialSourcesTest, ALineBreakInCredentialsIsRefusedBeforeSendingWithItsSource) {
  const auto refused = [&](const std::string& part) {
    const auto got =
        RefreshingCredentials{MakeCredentialsChain(Access(), ConfiguredAs("", "", "")), clock}.Get(
            {});
    ASSERT_THAT(got, FailsWith(ErrorCode::kConfig)) << part;
    EXPECT_THAT(got.error().message(), HasSubstr(part));
    EXPECT_THAT(got.error().message(), Not(HasSubstr("s3cret")));
  };
  environment["AWS_ACCESS_KEY_ID"] = "AKIAENV";
  environment["AWS_SECRET_ACCESS_KEY"] = "s3cret";
  environment["AWS_SESSION_TOKEN"] = "s3cret\r\nX-Evil: 1";
  refused("environment: the session token holds a line break at byte 7 of 17");
  environment["AWS_SESSION_TOKEN"] = std::string("s3cret\0", 7);
  refused("environment: the session token holds a NUL");
  environment.erase("AWS_SESSION_TOKEN");
  environment["AWS_SECRET_ACCESS_KEY"] = "s3cret\n";
  refused("environment: the secret access key holds a line break");
  environment.erase("AWS_ACCESS_KEY_ID");
  environment.erase("AWS_SECRET_ACCESS_KEY");
  Write(".aws/credentials",
        "[default]\naws_access_key_id = AKIA1\n  two\naws_secret_access_key = s3cret\n");
  refused("profile default: the access key id holds a line break");
  // The base of a role signs too.
  const auto role = Chain(ConfiguredAs("", "arn:aws:iam::111122223333:role/R", ""));
  ASSERT_THAT(role, FailsWith(ErrorCode::kConfig));
  EXPECT_TRUE(sts.sent.empty());
}

TEST_F(CredentialSourcesTest, AWebIdentityWithoutRoleOrFileSaysSo) {
  environment["AWS_WEB_IDENTITY_TOKEN_FILE"] = (home / "absent").string();
  EXPECT_THAT(Chain(), FailsWith(ErrorCode::kConfig));

  environment["AWS_ROLE_ARN"] = "arn:aws:iam::111122223333:role/Pod";
  EXPECT_THAT(Chain(), FailsWith(ErrorCode::kUnauthenticated));
}

TEST_F(CredentialSourcesTest, TheContainerIsAskedWithItsTokenFileReadAnewEachTime) {
  environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://169.254.170.23/v1/credentials";
  environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "old";
  environment["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = Write("token", "one\n");
  metadata.script = {Reply(200, kDocument)};

  ASSERT_THAT(Container(), Succeeds());
  Write("token", "two");
  ASSERT_THAT(Container(), Succeeds());

  EXPECT_EQ(metadata.sent[0].url, "http://169.254.170.23/v1/credentials");
  EXPECT_EQ(HeaderOf(metadata.sent[0], "Authorization"), "one");
  EXPECT_EQ(HeaderOf(metadata.sent[1], "Authorization"), "two");
}

TEST_F(CredentialSourcesTest, TheContainerIsAskedThreeTimesButNotAgainAfterARefusal) {
  environment["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/x";
  metadata.script = {Reply(500), Error(ErrorCode::kTimeout, "slow"), Reply(200, kDocument)};
  ASSERT_THAT(Container(), Succeeds());
  EXPECT_THAT(sleeper.slept, ElementsAre(seconds(1), seconds(1)));
  EXPECT_EQ(metadata.sent[0].url, "http://169.254.170.2/v2/x");

  metadata.sent.clear();
  metadata.script = {Reply(403)};
  EXPECT_THAT(Container(), FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_EQ(metadata.sent.size(), 1U);

  for (const int early : {429, 400, 404}) {
    metadata.sent.clear();
    metadata.script = {Reply(early), Reply(200, kDocument)};
    EXPECT_THAT(Container(), Succeeds()) << early;
    EXPECT_EQ(metadata.sent.size(), 2U);
  }
}

TEST_F(CredentialSourcesTest, ContainerCredentialsGoInPlainHttpNowhereElse) {
  for (const char* url : {"http://10.0.0.1/x", "http://169.254.170.2.example.com/x"}) {
    environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
    EXPECT_THAT(Container(), FailsWith(ErrorCode::kConfig)) << url;
  }
  environment["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://127.0.0.1:1/x";
  environment["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "a\r\nHost: b";
  EXPECT_THAT(Container(), FailsWith(ErrorCode::kConfig));
  EXPECT_TRUE(metadata.sent.empty());
}

TEST_F(CredentialSourcesTest, TheInstancesModeAndSwitchAreTakenInAnyCase) {
  environment["AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"] = "ipv6";
  metadata.script = {Reply(200, "tok"), Reply(200, "my-role"), Reply(200, kDocument)};
  ASSERT_THAT(Instance(), Succeeds());
  EXPECT_EQ(metadata.sent[0].url, "http://[fd00:ec2::254]/latest/api/token");

  for (const char* word : {"true", "TRUE", "True"}) {
    environment["AWS_EC2_METADATA_DISABLED"] = word;
    EXPECT_THAT(InstanceCredentials(environment, metadata).Fetch({}),
                FailsWith(ErrorCode::kNotFound));
  }
}

TEST_F(CredentialSourcesTest, FilesAreFoundThroughTildesAndVariables) {
  Write("elsewhere/config", "[default]\nregion = x\n");
  Write("elsewhere/credentials",
        "[default]\naws_access_key_id = AKIATILDE\naws_secret_access_key = s\n");
  environment["AWS_CONFIG_FILE"] = "~/elsewhere/config";
  environment["WHERE"] = home.string() + "/elsewhere";
  environment["AWS_SHARED_CREDENTIALS_FILE"] = "${WHERE}/credentials";
  EXPECT_EQ((*Chain())->access_key_id, "AKIATILDE");
  EXPECT_EQ(LoadProfiles(environment)->config_path, (home / "elsewhere/config").string());
  environment["AWS_SHARED_CREDENTIALS_FILE"] = "$WHERE/credentials";
  EXPECT_EQ((*Chain())->access_key_id, "AKIATILDE");
}

TEST_F(CredentialSourcesTest, TheInstanceIsAskedThroughTheSecondVersionOnly) {
  metadata.script = {Reply(200, "tok"), Reply(200, "my-role\n"), Reply(200, kDocument)};

  const auto got = Instance();

  ASSERT_THAT(got, Succeeds());
  EXPECT_EQ((*got)->session_token.Reveal(), "t1");
  EXPECT_THAT((*got)->source, HasSubstr("my-role"));
  ASSERT_EQ(metadata.sent.size(), 3U);
  EXPECT_EQ(metadata.sent[0].method, "PUT");
  EXPECT_EQ(HeaderOf(metadata.sent[0], "x-aws-ec2-metadata-token-ttl-seconds"), "21600");
  EXPECT_EQ(metadata.sent[2].url,
            "http://169.254.169.254/latest/meta-data/iam/security-credentials/my-role");
  EXPECT_EQ(HeaderOf(metadata.sent[2], "x-aws-ec2-metadata-token"), "tok");
}

TEST_F(CredentialSourcesTest, AnInstanceWithoutTokenIsNeverAskedWithTheFirstVersion) {
  metadata.script = {Error(ErrorCode::kTimeout, "hop limit")};
  const auto silent = Instance();
  ASSERT_THAT(silent, FailsWith(ErrorCode::kNotFound));
  EXPECT_THAT(silent.error().message(), HasSubstr("--http-put-response-hop-limit 2"));

  metadata.script = {Reply(404)};
  EXPECT_THAT(Instance(), FailsWith(ErrorCode::kNotFound));
  for (const auto& request : metadata.sent) EXPECT_EQ(request.method, "PUT");
}

TEST_F(CredentialSourcesTest, AnInstanceWithoutARoleIsAnAbsenceAndABrokenOneAFailure) {
  metadata.script = {Reply(200, "tok"), Reply(404)};
  EXPECT_THAT(Instance(), FailsWith(ErrorCode::kNotFound));

  metadata.script = {Reply(200, "tok"), Reply(200, "role"),
                     Reply(200, R"({"Code":"AssumeRoleUnauthorizedAccess","Message":"no"})")};
  const auto broken = Instance();
  ASSERT_THAT(broken, FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_THAT(broken.error().message(), HasSubstr("AssumeRoleUnauthorizedAccess"));
}

TEST_F(CredentialSourcesTest, AFileOfKeysIsReadInEveryFormThatAwsToolsWrite) {
  const char* forms[] = {
      R"({"Version":1,"AccessKeyId":"AKIAF","SecretAccessKey":"s"})",
      R"({"AccessKey":{"UserName":"u","AccessKeyId":"AKIAF","SecretAccessKey":"s"}})",
      "[default]\naws_access_key_id = AKIAF\naws_secret_access_key = s\n"};
  for (const char* form : forms) {
    const std::string path = Write("keys", form);
    std::filesystem::permissions(path, std::filesystem::perms::owner_read);
    const auto got = FileCredentials(path).Fetch({});
    std::filesystem::remove(path);
    ASSERT_THAT(got, Succeeds()) << form;
    EXPECT_EQ((*got)->access_key_id, "AKIAF");
  }
}

TEST_F(CredentialSourcesTest, AFileOfKeysThatOthersMayReadIsRefused) {
  const std::string path = Write("keys", "{}");
  std::filesystem::permissions(path, std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);

  const auto got = FileCredentials(path).Fetch({});

  ASSERT_THAT(got, FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(got.error().message(), HasSubstr("chmod 600"));
  EXPECT_THAT(FileCredentials((home / "absent").string()).Fetch({}), FailsWith(ErrorCode::kConfig));
}

TEST_F(CredentialSourcesTest, AReferenceReplacesTheConfiguredSourcesUntilItIsTakenBack) {
  Write(".aws/credentials",
        "[default]\naws_access_key_id=AKIAOLD\naws_secret_access_key=s\n"
        "[new]\naws_access_key_id=AKIANEW\naws_secret_access_key=s\n");
  ChainSettings settings = ConfiguredAs("", "", "");
  settings.reference_file = (home / "state" / "credentials.json").string();
  ASSERT_EQ((*Chain(settings))->access_key_id, "AKIAOLD");

  ASSERT_THAT(SaveReference(settings.reference_file, *ParseReference("profile:new")), Succeeds());
  EXPECT_EQ((*Chain(settings))->access_key_id, "AKIANEW");
  ASSERT_THAT(SaveReference(settings.reference_file, std::nullopt), Succeeds());
  EXPECT_EQ((*Chain(settings))->access_key_id, "AKIAOLD");

  Write("state/credentials.json", "broken");
  EXPECT_THAT(Chain(settings), FailsWith(ErrorCode::kConfig));
}

TEST_F(CredentialSourcesTest, ARunningProcessFollowsARotationWithinASecond) {
  const std::string file = (home / "credentials.json").string();
  Write(".aws/credentials",
        "[default]\naws_access_key_id=AKIAOLD\naws_secret_access_key=s\n"
        "[new]\naws_access_key_id=AKIANEW\naws_secret_access_key=s\n");
  ChainSettings settings = ConfiguredAs("", "", "");
  settings.reference_file = file;
  RefreshingCredentials credentials(MakeCredentialsChain(Access(), settings), clock);
  const CredentialsPtr held = *credentials.Get({});
  ASSERT_EQ(held->access_key_id, "AKIAOLD");
  ASSERT_THAT(SaveReference(file, *ParseReference("profile:new")), Succeeds());

  clock.Advance(seconds(1));
  // The first to look starts the switch; calls go on with what they have until it is done.
  while ((*credentials.Get({}))->access_key_id != "AKIANEW") std::this_thread::yield();

  EXPECT_EQ(held->secret_access_key.Reveal(), "s") << "a call under way keeps the old ones";
}

TEST_F(CredentialSourcesTest, ASwitchThatFailedIsTriedAgain) {
  Write(".aws/credentials", "[default]\naws_access_key_id=AKIAOLD\naws_secret_access_key=s\n");
  ChainSettings settings = ConfiguredAs("", "", "");
  settings.reference_file = (home / "credentials.json").string();
  const auto chain = MakeCredentialsChain(Access(), settings);
  ASSERT_THAT(chain->Fetch({}), Succeeds());
  ASSERT_THAT(SaveReference(settings.reference_file, *ParseReference("profile:late")), Succeeds());

  EXPECT_TRUE(chain->HasChanged());
  ASSERT_THAT(chain->Fetch({}), FailsWith(ErrorCode::kConfig));
  EXPECT_TRUE(chain->HasChanged()) << "still due";
  Write(".aws/credentials", "[late]\naws_access_key_id=AKIANEW\naws_secret_access_key=s\n");
  EXPECT_EQ((*chain->Fetch({}))->access_key_id, "AKIANEW");
  EXPECT_FALSE(chain->HasChanged());
}

TEST(ParseReferenceTest, TakesAProfileOrAnAbsoluteFile) {
  EXPECT_EQ(ParseReference("profile:a b")->target, "a b");
  EXPECT_EQ(ParseReference("file:/run/keys")->ToString(), "file:/run/keys");
  for (const char* bad : {"", "profile:", "file:", "file:keys", "keys", "env:X"})
    EXPECT_THAT(ParseReference(bad), FailsWith(ErrorCode::kInvalidRequest)) << bad;
}

TEST_F(CredentialSourcesTest, AProcessPrintsADocumentOfVersionOne) {
  const std::string file = Write(
      "keys.json",
      R"({"Version":1,"AccessKeyId":"AKIAP","SecretAccessKey":"s","AccountId":"123456789012"})");
  ProcessCredentials process("cat '" + file + "'", "p", ProgramEnvironment());

  const auto got = process.Fetch(stop.get_token());

  ASSERT_THAT(got, Succeeds());
  EXPECT_EQ((*got)->access_key_id, "AKIAP");
  EXPECT_EQ((*got)->account_id, "123456789012");
  EXPECT_FALSE((*got)->expires_at);
}

TEST_F(CredentialSourcesTest, AProcessThatFailsIsQuotedFromItsStandardErrorOnly) {
  const auto got = ProcessCredentials("sh -c 'echo very-secret; echo token gone >&2; exit 3'", "p",
                                      ProgramEnvironment())
                       .Fetch(stop.get_token());

  ASSERT_THAT(got, FailsWith(ErrorCode::kUnauthenticated));
  EXPECT_THAT(got.error().message(), HasSubstr("ended with 3: token gone"));
  EXPECT_THAT(got.error().message(), Not(HasSubstr("very-secret")));
  const auto keys = ProcessCredentials(
                        "sh -c 'echo key wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY in "
                        "$PCW_DATABASE_URL. >&2; exit 1'",
                        "p", ProgramEnvironment())
                        .Fetch(stop.get_token());
  EXPECT_THAT(keys.error().message(), HasSubstr("key *** in ."));
  EXPECT_THAT(
      ProcessCredentials("pcw-no-such-program", "p", ProgramEnvironment()).Fetch(stop.get_token()),
      FailsWith(ErrorCode::kConfig));
  EXPECT_THAT(ProcessCredentials("echo '{\"Version\":2}'", "p", ProgramEnvironment())
                  .Fetch(stop.get_token()),
              FailsWith(ErrorCode::kUnauthenticated));
}

}  // namespace
}  // namespace pcw::aws
