-- What wixl 0.101 has no words for, as statements on the finished package: one a line, "--" begins
-- a comment.

-- The configuration is neither overwritten (128) nor ever removed (16); 256: 64-bit.
UPDATE Component SET Attributes = 400 WHERE Component = 'Configuration'

-- A value with a variable (REG_EXPAND_SZ: "#%").
UPDATE Registry SET Value = '#%%SystemRoot%\System32\EventCreate.exe' WHERE Registry = 'EventMessageFile'

-- Public properties get through to the elevated half of an installation only by name.
UPDATE Property SET Value = 'NEWER;OLDER;WINDOWS_BUILD;HAD_INSTALLDIR;INSTALLDIR;CONFIG_FILE;LISTEN_PORT;EXTRA_FLAGS;FIREWALL;HAD_FIREWALL' WHERE Property = 'SecureCustomProperties'

-- Defaults, and what follows from the settings. Folders have their values from 1000 on.
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('DefaultConfigFile', 51, 'CONFIG_FILE', '[CONFIGDIR]echo_exporter.toml')
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('SetListenFlag', 51, 'LISTEN_FLAG', '--web.listen-address=:[LISTEN_PORT]')
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('DefaultConfigFile', 'NOT CONFIG_FILE', 1001)
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('SetListenFlag', 'LISTEN_PORT', 1002)

-- For the comparison with the folder of the version before, which ends with a backslash.
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('EndWithBackslash', 51, 'INSTALLDIR_BACKSLASH', '[INSTALLDIR]\')
INSERT INTO InstallUISequence (Action, Condition, Sequence) VALUES ('EndWithBackslash', 'INSTALLDIR', 60)
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('EndWithBackslash', 'INSTALLDIR', 60)

-- The folders of the configuration and of log files: for SYSTEM and Administrators, and for the service
-- to read and, in the latter, to write and delete. The long number is the service's account, which
-- follows from its name. `service configure` does the same for a folder that was there before.
CREATE TABLE `MsiLockPermissionsEx` (`MsiLockPermissionsEx` CHAR(72) NOT NULL, `LockObject` CHAR(72) NOT NULL, `Table` CHAR(32) NOT NULL, `SDDLText` LONGCHAR NOT NULL, `Condition` CHAR(255) PRIMARY KEY `MsiLockPermissionsEx`)
INSERT INTO `MsiLockPermissionsEx` (`MsiLockPermissionsEx`, `LockObject`, `Table`, `SDDLText`) VALUES ('ConfigFolder', 'CONFIGDIR', 'CreateFolder', 'O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;S-1-5-80-3346263763-1372307240-3842606757-558583402-3289773060)')
INSERT INTO `MsiLockPermissionsEx` (`MsiLockPermissionsEx`, `LockObject`, `Table`, `SDDLText`) VALUES ('LogFolder', 'LOGDIR', 'CreateFolder', 'O:BAD:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1301bf;;;S-1-5-80-3346263763-1372307240-3842606757-558583402-3289773060)')

-- Custom actions below, all deferred and as the system. Their types: 3090 runs an installed file, 3106 a
-- command in a folder; with 64 whatever its exit code is, with 256 in a rollback only. A rollback runs
-- backwards, so each stands before what it takes back, and for what exists already. $Program > 0: not
-- while an upgrade has an old version removed, whose files, service and rule are the new one's by then;
-- UPGRADINGPRODUCTCODE says the same, and does not depend on what Windows Installer makes of such components.

-- Before StopServices (1900), which does not wait until the process has ended and its file can be
-- replaced or removed. As the service has stopped by then, a rollback would not start it.
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('RollBackStopService', 3410, 'ProgramFile', 'service start')
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('RollBackStopService', '(OLDER OR ?Program = 3) AND $Program > 0 AND NOT UPGRADINGPRODUCTCODE', 1898)
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('StopService', 3154, 'ProgramFile', 'service stop')
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('StopService', '(OLDER OR ?Program = 3) AND $Program > 0 AND NOT UPGRADINGPRODUCTCODE', 1899)

-- Options, recovery, delayed start and the rest of what the service needs, between its installation (5800)
-- and its start (5900): whether InstallServices changes those of a service that exists is not documented.
-- Its rollback is for a service that existed, by the version before: when its files
-- are back (4000) and so is the service (2000, 5800), for which Windows Installer keeps only some settings.
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('RollBackConfigureService', 3410, 'ProgramFile', 'service configure')
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('RollBackConfigureService', '(OLDER OR ?Program = 3) AND $Program > 0 AND NOT UPGRADINGPRODUCTCODE', 1950)
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('ConfigureService', 3090, 'ProgramFile', 'service configure --config.file="[CONFIG_FILE]" [LISTEN_FLAG] [EXTRA_FLAGS]')
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('ConfigureService', '$Program = 3', 5801)

-- The firewall rule: for the program as this service, so for any port. Any rule of before goes first:
-- netsh would add a second one. It may fail, as where the firewall is turned off: the service needs it
-- less than its installation.
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('RestoreFirewallRule', 3426, 'System64Folder', '"[System64Folder]netsh.exe" advfirewall firewall add rule name="echo_exporter (installer)" dir=in action=allow protocol=TCP program="[#ProgramFile]" service=echo_exporter enable=yes')
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('RestoreFirewallRule', 'HAD_FIREWALL = "1" AND $Program > 0 AND NOT UPGRADINGPRODUCTCODE', 5802)
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('RollBackFirewallRule', 3426, 'System64Folder', '"[System64Folder]netsh.exe" advfirewall firewall delete rule name="echo_exporter (installer)"')
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('RollBackFirewallRule', '(FIREWALL = "1" OR HAD_FIREWALL = "1") AND $Program > 0 AND NOT UPGRADINGPRODUCTCODE', 5803)
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('RemoveFirewallRule', 3170, 'System64Folder', '"[System64Folder]netsh.exe" advfirewall firewall delete rule name="echo_exporter (installer)"')
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('RemoveFirewallRule', '(FIREWALL = "1" OR HAD_FIREWALL = "1") AND $Program > 0 AND NOT UPGRADINGPRODUCTCODE', 5804)
INSERT INTO CustomAction (Action, Type, Source, Target) VALUES ('AddFirewallRule', 3170, 'System64Folder', '"[System64Folder]netsh.exe" advfirewall firewall add rule name="echo_exporter (installer)" dir=in action=allow protocol=TCP program="[#ProgramFile]" service=echo_exporter enable=yes')
INSERT INTO InstallExecuteSequence (Action, Condition, Sequence) VALUES ('AddFirewallRule', 'FIREWALL = "1" AND $Program = 3', 5805)
