# What is installed and where, and the Debian package: scripts/package builds it with CPack. systemd unit and maintainer
# scripts: deploy/debian. The directories of systemd are those of the distribution, not of the library path.
set(PCW_SYSTEMD_UNIT_DIR lib/systemd/system CACHE STRING "where pcw.service goes")
set(PCW_TMPFILES_DIR lib/tmpfiles.d CACHE STRING "where the rule for /run/pcw goes")

install(TARGETS pcw RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES deploy/debian/pcw.service DESTINATION ${PCW_SYSTEMD_UNIT_DIR})
install(FILES deploy/debian/pcw.tmpfiles DESTINATION ${PCW_TMPFILES_DIR} RENAME pcw.conf)
# The full path: below the prefix /usr it is /etc.
install(FILES deploy/debian/pcw.yaml DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/pcw)
install(FILES deploy/debian/pcw.default DESTINATION ${CMAKE_INSTALL_FULL_SYSCONFDIR}/default RENAME pcw
        PERMISSIONS OWNER_READ OWNER_WRITE)
install(FILES config/pcw.example.yaml config/escalation.yaml README.md CHANGELOG.md deploy/debian/copyright
        DESTINATION ${CMAKE_INSTALL_DOCDIR})
# README.md beside it links to docs/.
install(DIRECTORY docs DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_NAME pcw)
set(CPACK_PACKAGE_VENDOR pcw)
set(CPACK_PACKAGE_CONTACT "pcw maintainers <pcw@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "AWS Partner Central and Marketplace connector")
set(CPACK_PACKAGE_DESCRIPTION "Keeps a partner's opportunities, leads, solutions and profiles in their own lake and PostgreSQL,\n within AWS's quotas, and finds out why when something breaks.")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS "adduser, ca-certificates")
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "postgresql-15")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA "${PROJECT_SOURCE_DIR}/deploy/debian/postinst;${PROJECT_SOURCE_DIR}/deploy/debian/prerm;${PROJECT_SOURCE_DIR}/deploy/debian/postrm;${PROJECT_SOURCE_DIR}/deploy/debian/conffiles")
include(CPack)
