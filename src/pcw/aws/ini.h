// The file form of ~/.aws/config and ~/.aws/credentials, read as AWS's own tools read it.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pcw/base/result.h"

namespace pcw::aws {

/// Settings of one section. Nested settings ("s3 =" with deeper lines below it) are "s3.key".
using ProfileSettings = std::map<std::string, std::string>;

/// Sections by their header text ("profile x", "default"), in the order of the file.
using IniSections = std::vector<std::pair<std::string, ProfileSettings>>;

/// Reads a file as botocore does, whose parser is Python's configparser (recorded answers in
/// tests/fixtures/aws_profiles): "#" and ";" begin a comment only where a line begins; "=" or ":"
/// ends a key, and keys are in lower case; a line indented deeper than its key's continues the
/// value; [DEFAULT] gives to every section. kConfig with file:line where AWS's tools would refuse
/// the whole file: a section or key twice, no delimiter, a byte order mark. Values are never
/// repeated (I29).
Result<IniSections> ParseIni(std::string_view text, std::string_view file);

/// Splits words as a POSIX shell does, without expanding anything (Python's shlex.split): quotes,
/// backslashes. kConfig for an open quote or a backslash at the end.
Result<std::vector<std::string>> SplitShellWords(std::string_view text);

}  // namespace pcw::aws
