#include "pcw/config/config.h"

#include <filesystem>
#include <fstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fakes/result_matchers.h"
#include "pcw/base/file.h"
#include "pcw/config/config_keys.h"

namespace pcw::config {
namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using ::testing::HasSubstr;

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() {
    char name[] = "/tmp/pcw-config-XXXXXX";
    directory = ::mkdtemp(name);
  }
  ~ConfigTest() override { fs::remove_all(directory); }

  Result<LoadedConfig> Load(const std::string& yaml) {
    std::ofstream(directory / "pcw.yaml") << yaml;
    sources.flag_file = directory / "pcw.yaml";
    return LoadConfig(sources);
  }
  /// As a tenant's configuration is loaded.
  Result<LoadedConfig> LoadGiven(const std::string& yaml) {
    ConfigSources tenant;
    tenant.given_text = {"tenant acme", yaml};
    tenant.env = sources.env;
    tenant.secrets_dir = sources.secrets_dir;
    return LoadConfig(tenant);
  }
  std::string Complaint(const std::string& yaml) {
    const auto loaded = Load(yaml);
    EXPECT_THAT(loaded, FailsWith(ErrorCode::kConfig)) << yaml;
    return loaded ? "" : loaded.error().message();
  }
  static std::string ValueOf(const LoadedConfig& loaded, std::string_view key) {
    for (const ShownKey& shown : loaded.keys) {
      if (shown.key == key) return shown.value;
    }
    return "";
  }
  std::string Secret(const std::string& name, const std::string& text) const {
    fs::create_directories((directory / name).parent_path());
    std::ofstream(directory / name) << text;
    fs::permissions(directory / name, fs::perms::owner_read | fs::perms::owner_write);
    return (directory / name).string();
  }
  static std::string OriginOf(const LoadedConfig& loaded, std::string_view key) {
    for (const ShownKey& shown : loaded.keys) {
      if (shown.key == key) return shown.origin;
    }
    return "";
  }

  fs::path directory;
  ConfigSources sources;
};

TEST_F(ConfigTest, AnEmptyFileIsTheContractsDefaults) {
  const auto loaded = Load("");

  ASSERT_THAT(loaded, Succeeds());
  EXPECT_EQ(loaded->config.partner_central.batch_size, 100);
  EXPECT_EQ(loaded->config.quota.reads_per_day, 100'000);
  EXPECT_EQ(loaded->config.sync.lag, milliseconds(300'000));
  EXPECT_FALSE(loaded->config.sync.overlap);
  EXPECT_EQ(loaded->keys.size(), ConfigKeys().size());
}

TEST_F(ConfigTest, FlagBeatsEnvironmentBeatsAwsBeatsFile) {
  const std::string yaml = "aws: { region: a-file }\n";
  EXPECT_EQ(Load(yaml)->config.aws.region, "a-file");
  sources.env["AWS_REGION"] = "an-aws";
  EXPECT_EQ(Load(yaml)->config.aws.region, "an-aws");
  sources.env["PCW_AWS_REGION"] = "a-pcw";
  EXPECT_EQ(Load(yaml)->config.aws.region, "a-pcw");
  sources.flag_overrides = {{"aws.region", "a-flag"}};
  const auto loaded = Load(yaml);
  EXPECT_EQ(loaded->config.aws.region, "a-flag");
  EXPECT_EQ(OriginOf(*loaded, "aws.region"), "flag --set");
}

TEST_F(ConfigTest, EveryKeyHasAnEnvironmentTwinThatTakesItsDefault) {
  for (const ConfigKey& key : ConfigKeys()) {
    ConfigSources one;
    one.searches_default_files = false;
    one.env[EnvironmentName(key.path)] = std::string(key.fallback);

    const auto loaded = LoadConfig(one);

    ASSERT_THAT(loaded, Succeeds()) << key.path;
    EXPECT_EQ(OriginOf(*loaded, key.path), "environment " + EnvironmentName(key.path));
  }
}

TEST_F(ConfigTest, AllProblemsAreNamedInOneRunWithPlaceExpectationAndNearestName) {
  sources.env["PCW_QUOTA_BRUST"] = "1";
  const std::string text = Complaint(
      "databse: { url: x }\nconnectors:\n  partner_central:\n    batch_size: 1000\n    entities: "
      "[oportunities]\nsync:\n  lag: 5\nquota: { burst: 010 }\n");

  EXPECT_THAT(text, HasSubstr("6 problems"));
  EXPECT_THAT(
      text,
      HasSubstr("pcw.yaml:1:1 databse: unknown key, expected a known one; did you mean database?"));
  EXPECT_THAT(text, HasSubstr("pcw.yaml:4:17 connectors.partner_central.batch_size: \"1000\", "
                              "expected a whole number from 1 to 100"));
  EXPECT_THAT(text, HasSubstr("did you mean opportunities?"));
  EXPECT_THAT(text, HasSubstr("pcw.yaml:7:8 sync.lag: \"5\", expected a duration"));
  EXPECT_THAT(text, HasSubstr("pcw.yaml:8:17 quota.burst: \"010\", expected a whole number"));
  EXPECT_THAT(
      text,
      HasSubstr("environment PCW_QUOTA_BRUST no such setting; did you mean PCW_QUOTA_BURST?"));
}

TEST_F(ConfigTest, RefusesWhatYamlReadersDisagreeAbout) {
  struct {
    const char* yaml;
    const char* says;
  } const cases[] = {
      {"environment: no\n", "write \"no\""},
      {"aws: { account_id: 012345678901 }\n", "write \"012345678901\""},
      {"database: { strict_roles: yes }\n", "expected true or false"},
      {"database: { strict_roles: \"true\" }\n", "in quotes"},
      {"quota: { burst: 1e1 }\n", "whole number"},
      {"sync: { lag: -5m }\n", "duration"},
      {"sync: { lag: 12:30 }\n", "duration"},
      {"sync: { lag: 10m, overlap: 5m }\n", "shorter than sync.lag"},
      {"connectors: { partner_central: { incremental_every: 0s } }\n", "at least"},
      {"connectors: { partner_central: { schedule: \"0 0 30 2 *\" } }\n", "can fire"},
      {"connectors: { partner_central: { schedule: hourly } }\n", "cron"},
      {"connectors: { partner_central: { catalog: aws } }\n", "expected one of AWS, Sandbox"},
      {"lake: { url: \"s3://\" }\n", "lake.url"},
      {"lake: { url: \"s3://Bucket\" }\n",
       "pcw.yaml:1:14 lake.url: \"s3://Bucket\", expected s3://"},
      {"lake: { url: \"s3://b/x\" }\n", "3 to 63"},
      {"lake: { url: \"s3://10.0.0.1\" }\n", "3 to 63"},
      {"lake: { url: \"s3://pcw..lake\" }\n", "3 to 63"},
      {"lake: { url: \"s3://pcw-lake/a/../b\" }\n", "each segment"},
      {"lake: { url: \"s3://pcw-lake/a//b\" }\n", "each segment"},
      {"lake: { url: \"s3://pcw-lake/a b\" }\n", "each segment"},
      {"lake: { url: /var/lake }\n", "expected file:///directory or s3://bucket[/prefix]"},
      {"lake: { multipart_threshold: 1000 }\n", "from 5242880 to 67108864"},
      {"lake: { sse_kms_key_id: \"my key\" }\n", "KMS key"},
      {"lake: { expected_bucket_owner: \"12\" }\n", "12 digits"},
      {"events: { url: pcw-events }\n", "expected https://sqs.<region>.amazonaws.com/"},
      {"dlq: { url: https://sqs.us-east-1.amazonaws.com/ }\n",
       "expected https://sqs.<region>.amazonaws.com/"},
      {"lake: { region: EU }\n", "AWS region"},
      {"aws: { region: \"us-east-1\\r\\nX\" }\n", "AWS region"},
      {"aws: { role_arn: \"arn:aws:iam::123:role/x\" }\n", "arn:aws:iam::<12 digits>:role/<name>"},
      {"aws: { role_arn: my-role }\n", "arn:aws:iam::<12 digits>:role/<name>"},
      {"events: { out: { url: \"eventbridge:arn:aws:events:us-east-1:1:event-bus/b\" } }\n",
       "name or ARN of a bus"},
      {"dlq: { url: \"https://sqs.us-east-1.amazonaws.com/1/q.fifo\" }\n", "a standard queue"},
      {"tenants: { secrets_dir: secrets }\n", "an absolute path"},
      {"lake: { url: \"file:///a/../b\" }\n", "lake.url"},
      {"environment: Pro/d\n", "bucket name"},
      {"logging: { level: debug }\n", "did you mean DEBUG?"},
      {"database: { url: \"postgresql://u:secret@h/d\" }\n", "env:NAME or file:PATH"},
      {"database: { url: \"env:NOT_THERE\" }\n", "NOT_THERE is not set"},
      {"quota: 5\n", "expected a map"},
      {"a: &x 1\n", "anchor"},
      {"environment: dev\nenvironment: dev\n", "twice"},
  };
  for (const auto& [yaml, says] : cases) EXPECT_THAT(Complaint(yaml), HasSubstr(says)) << yaml;
}

TEST_F(ConfigTest, ALakeInS3) {
  for (const char* url : {"s3://pcw-lake-dev", "s3://pcw-lake-dev/", "s3://pcw.lake/a_b/c=1.x"}) {
    const auto loaded = Load(fmt::format("lake: {{ url: \"{}\" }}\n", url));
    ASSERT_THAT(loaded, Succeeds()) << url;
    EXPECT_EQ(loaded->config.lake.url, url);
    EXPECT_EQ(loaded->config.lake.multipart_threshold, 16U << 20U);
  }
}

TEST_F(ConfigTest, TheRunbooksSnippetIsAWholeFileAndWorksUnderAConnector) {
  for (const char* yaml :
       {"logging:\n  level: DEBUG\n  include_payloads: true  # WARNING: may contain PII\n",
        "connectors:\n  partner-central:\n    logging: {level: DEBUG, include_payloads: true}\n"}) {
    const auto loaded = Load(yaml);
    ASSERT_THAT(loaded, Succeeds()) << yaml;
    EXPECT_EQ(loaded->config.logging.level, "DEBUG");
    EXPECT_TRUE(loaded->config.logging.include_payloads);
    EXPECT_FALSE(loaded->config.logging.include_payloads_until.empty());
    ASSERT_EQ(loaded->warnings.size(), 1U);
  }
}

TEST_F(ConfigTest, SecretsComeByReferenceAndAreMasked) {
  sources.env["DB"] = "postgresql://u:hunter2@h/d";
  const auto loaded = Load("database: { url: \"env:DB\" }\n");

  ASSERT_THAT(loaded, Succeeds());
  EXPECT_EQ(loaded->config.database.url, "postgresql://u:hunter2@h/d");
  for (const ShownKey& shown : loaded->keys)
    EXPECT_THAT(shown.value, testing::Not(HasSubstr("hunter2"))) << shown.key;
}

TEST_F(ConfigTest, AVariableThatAValueReferencesIsNoMisspeltSetting) {
  sources.env["PCW_HOOK_SECRET"] = "whsec-0123456789abcdef";
  const std::string yaml =
      "events: { out: { url: https://example.com/hook, secret: env:PCW_HOOK_SECRET } }\n";

  const auto loaded = Load(yaml);

  ASSERT_THAT(loaded, Succeeds());
  EXPECT_EQ(loaded->config.events.out.secret.Reveal(), "whsec-0123456789abcdef");
  EXPECT_THAT(Complaint(""), HasSubstr("PCW_HOOK_SECRET")) << "nothing references it";
}

TEST_F(ConfigTest, AVariableMayReferenceAVariable) {
  sources.env["PCW_DATABASE_URL"] = "env:PCW_SECRET_URL";
  sources.env["PCW_SECRET_URL"] = "postgresql://db/pcw";

  const auto loaded = Load("");

  ASSERT_THAT(loaded, Succeeds());
  EXPECT_EQ(loaded->config.database.url, "postgresql://db/pcw");
}

TEST_F(ConfigTest, ASecretFileThatEverybodyMayReadIsRefused) {
  const fs::path secret = directory / "url";
  std::ofstream(secret) << "postgresql://u:p@h/d\n";
  fs::permissions(secret, fs::perms::owner_read | fs::perms::others_read);
  EXPECT_THAT(Complaint("database: { url: \"file:" + secret.string() + "\" }\n"),
              HasSubstr("chmod 600"));
  fs::permissions(secret, fs::perms::owner_read);
  EXPECT_EQ(Load("database: { url: \"file:" + secret.string() + "\" }\n")->config.database.url,
            "postgresql://u:p@h/d");
}

TEST_F(ConfigTest, TargetsOfEventsAreWebhooksAndBusesAndTheirSecretsAreReferences) {
  sources.env["HOOK"] = "https://hooks.example.com/services/path-that-lets-one-in";
  sources.env["SECRET"] = "signs";
  const auto loaded = Load("events: { out: { url: 'env:HOOK', secret: 'env:SECRET' } }\n");
  ASSERT_THAT(loaded, Succeeds());
  EXPECT_EQ(loaded->config.events.out.url, sources.env["HOOK"]);
  EXPECT_EQ(loaded->config.events.out.secret.Reveal(), "signs");
  for (const ShownKey& key : loaded->keys) {
    EXPECT_EQ(key.value.find("path-that"), std::string::npos) << key.key;
    EXPECT_EQ(key.value.find("signs"), std::string::npos) << key.key;
  }
  EXPECT_EQ(ShownTarget("eventbridge:orders"), "eventbridge:orders");
  EXPECT_EQ(ShownTarget("https://h:8443"), "https://h:8443");
  EXPECT_EQ(ShownTarget("https://h?token=x"), "https://h/****");

  EXPECT_THAT(Complaint("events: { out: { secret: plain } }\n"),
              HasSubstr("env:NAME or file:PATH"));
  EXPECT_THAT(Complaint("events: { out: { url: 'http://127.0.0.1/x' } }\n"),
              HasSubstr("events.out.private"));
  EXPECT_THAT(Load("events: { out: { url: 'http://127.0.0.1/x', private: true } }\n"), Succeeds());
  for (const char* url : {"ftp://h/x", "eventbridge:", "https://u@h/x", "h"})
    EXPECT_THAT(Complaint(std::string("events: { out: { url: '") + url + "' } }\n"),
                HasSubstr("eventbridge: and the name or ARN"));
  EXPECT_THAT(Complaint("events: { url: 'https://q/1/a' }\ndlq: { url: 'https://q/1/a' }\n"),
              HasSubstr("a queue each"));
  EXPECT_THAT(Complaint("events: { wait: 21s }\n"), HasSubstr("0s to 20s"));
}

TEST_F(ConfigTest, AFileThatWasNamedMustExist) {
  sources.flag_file = directory / "absent.yaml";
  EXPECT_THAT(LoadConfig(sources), FailsWith(ErrorCode::kConfig));
  sources.flag_file = directory;
  EXPECT_THAT(LoadConfig(sources), FailsWith(ErrorCode::kConfig));
}

TEST_F(ConfigTest, TheExampleFileIsTheDefaults) {
  const auto loaded = Load(FormatExampleConfig());

  ASSERT_THAT(loaded, Succeeds());
  EXPECT_EQ(*ReadFile(PCW_SOURCE_DIR "/config/pcw.example.yaml", 1 << 20), FormatExampleConfig())
      << "pcw config show --example > config/pcw.example.yaml";
}

TEST_F(ConfigTest, ATenantsRegionBeatsTheProcesssAndIsItWithoutOne) {
  sources.env["AWS_REGION"] = "eu-west-1";

  EXPECT_EQ(Load("aws: {region: us-east-1}")->config.aws.region, "eu-west-1");
  EXPECT_EQ(LoadGiven("aws: {region: us-east-1}")->config.aws.region, "us-east-1");
  EXPECT_EQ(LoadGiven("environment: dev")->config.aws.region, "eu-west-1");
}

TEST_F(ConfigTest, AValueThatCameByReferenceIsNeverPrinted) {
  sources.env["AWS_SECRET_ACCESS_KEY"] = "wJalrs3cret";
  const std::string shadow = Secret("shadow", "root:s3cret:19000:0:99999:7:::\n");
  for (const char* key :
       {"database: { url: \"", "database: { admin_url: \"", "events: { out: { url: \""}) {
    const std::string end = std::string(key).find("out") == std::string::npos ? "\" }" : "\" } }";
    for (const std::string& reference :
         {std::string("env:AWS_SECRET_ACCESS_KEY"), "file:" + shadow}) {
      const std::string said = Complaint(key + reference + end + "\n");
      EXPECT_THAT(said, testing::Not(HasSubstr("s3cret")));
      EXPECT_THAT(said, HasSubstr("the value of " + reference + ", expected"));
    }
  }
  sources.env["DB"] = "postgresql://u:s3cret@h/d";
  const auto loaded = Load("database: { url: \"env:DB\" }\n");
  ASSERT_THAT(loaded, Succeeds());
  EXPECT_EQ(ValueOf(*loaded, "database.url"), "env:DB");
}

TEST_F(ConfigTest, APasswordIsRefusedWhereverLibpqTakesOneFrom) {
  for (const char* url : {"postgresql://u:s3cret@h/d", "host = h password = s3cret",
                          "postgresql://u@h/d?password=s3cret",
                          "postgresql://u@h/d?pass%77ord=s3cret", "host=h sslpassword=s3cret"}) {
    const std::string said = Complaint(std::string("database: { url: \"") + url + "\" }\n");
    EXPECT_THAT(said, HasSubstr("env:NAME or file:PATH")) << url;
    EXPECT_THAT(said, testing::Not(HasSubstr("s3cret")));
  }
  // Arguments are for everybody on the machine to read.
  sources.flag_overrides = {{"database.url", "postgresql://u:s3cret@h/d"}};
  EXPECT_THAT(Complaint(""), HasSubstr("flag --set database.url: a password stands there"));
  sources.flag_overrides.clear();
  sources.env["PCW_DATABASE_URL"] = "postgresql://u:s3cret@h/d";
  EXPECT_EQ(ValueOf(*Load(""), "database.url"), "postgresql://u:****@h/d");
}

TEST_F(ConfigTest, LoginsAndSecretPathsLeaveUrlsBeforeTheyAreShown) {
  for (const char* yaml : {"aws: { proxy: \"http://u:s3cret@proxy:3128\" }\n",
                           "lake: { url: \"s3://u:s3cret@bucket\" }\n",
                           "dlq: { url: \"https://u:s3cret@sqs.us-east-1.amazonaws.com/1/q\" }\n",
                           "database: { url: \"mysql://u:s3cret@h\" }\n",
                           "database: { url: \"postgresql://u:s3cret%zz@h\" }\n",
                           "events: { out: { url: \"https://u:s3cret@h/x\" } }\n"})
    EXPECT_THAT(Complaint(yaml), testing::Not(HasSubstr("s3cret"))) << yaml;
}

TEST_F(ConfigTest, ATenantsFileReadsNoEnvironmentAndFilesOnlyBelowTheSecretsDirectory) {
  sources.env["OPERATORS"] = "https://h/s3cret";
  const std::string outside = Secret("outside/url", "https://h/s3cret");
  const std::string inside = Secret("secrets/acme/url", "https://h/of-acme");
  fs::create_symlink(outside, directory / "secrets/link");
  const auto load = [&](const std::string& reference) {
    return LoadGiven("events: { out: { url: \"" + reference + "\" } }\n");
  };
  const auto refused = [&](const std::string& reference, const char* says) {
    const auto loaded = load(reference);
    ASSERT_THAT(loaded, FailsWith(ErrorCode::kConfig)) << reference;
    EXPECT_THAT(loaded.error().message(), HasSubstr(says));
    EXPECT_THAT(loaded.error().message(), testing::Not(HasSubstr("s3cret")));
  };
  refused("file:" + inside, "needs tenants.secrets_dir");
  sources.secrets_dir = (directory / "secrets").string();
  refused("env:OPERATORS", "env: is for the main configuration");
  refused("file:" + outside, "is not a file below tenants.secrets_dir");
  refused("file:" + sources.secrets_dir + "/../outside/url", "is not a file below");
  refused("file:" + sources.secrets_dir + "/link", "is not a file below");
  refused("file:" + sources.secrets_dir + "/absent", "is not a file below");
  ASSERT_THAT(load("file:" + inside), Succeeds());
  EXPECT_EQ(load("file:" + inside)->config.events.out.url, "https://h/of-acme");
}

TEST_F(ConfigTest, VariablesOfServicesNamedPcwAreNobodysMistake) {
  sources.env = {{"PCW_SERVICE_HOST", "10.0.0.1"},
                 {"PCW_SERVICE_PORT_HTTP", "80"},
                 {"PCW_PORT", "tcp://10.0.0.1:80"},
                 {"PCW_PORT_80_TCP_ADDR", "10.0.0.1"},
                 {"PCW_METRICS_SERVICE_HOST", "10.0.0.2"},
                 {"PCW_TOKEN", "pcw_x"},
                 {"PCW_HOOK_SECRET", "signs"}};
  EXPECT_THAT(Load("events: { out: { url: 'https://h/x', secret: 'env:PCW_HOOK_SECRET' } }\n"),
              Succeeds());
  EXPECT_THAT(Complaint(""), HasSubstr("environment PCW_HOOK_SECRET no such setting"));
}

TEST_F(ConfigTest, ARegionOfTheAwsProfileComesLast) {
  Secret(".aws/config", "[default]\nregion = eu-north-1\n[profile x]\nregion = eu-south-1\n");
  sources.env["HOME"] = directory.string();
  EXPECT_EQ(Load("")->config.aws.region, "eu-north-1");
  EXPECT_THAT(OriginOf(*Load(""), "aws.region"), HasSubstr("profile default ("));
  EXPECT_EQ(Load("aws: { profile: x }\n")->config.aws.region, "eu-south-1");
  EXPECT_EQ(Load("aws: { region: eu-west-1 }\n")->config.aws.region, "eu-west-1");
}

}  // namespace
}  // namespace pcw::config
