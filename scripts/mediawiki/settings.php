
# Behind what the installer wrote.
wfLoadExtension( 'TextExtracts' );
$wgServer = 'http://127.0.0.1:' . ( getenv( 'MEDIAWIKI_PORT' ) ?: '80' );
$wgArticlePath = '/wiki/$1';
$wgJobRunRate = 0;
# Debian's is /var/cache/mediawiki, where only root may write.
$wgCacheDirectory = $wgSQLiteDataDir;
$wgMainCacheType = CACHE_NONE;
$wgParserCacheType = CACHE_DB;
$wgGroupPermissions['*']['edit'] = false;
