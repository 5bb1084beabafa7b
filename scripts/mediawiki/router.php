<?php
// Gives PHP's own web server the addresses that Wikipedia has: /w/api.php and /wiki/Title.
$root = getenv( 'MEDIAWIKI_ROOT' );
$path = (string)parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH );
$script = match ( true ) {
	$path === '/w/api.php' => 'api.php',
	$path === '/', str_starts_with( $path, '/wiki/' ) => 'index.php',
	default => null,
};
if ( $script === null ) {
	http_response_code( 404 );
	echo "no such page\n";
	return;
}
$_SERVER['SCRIPT_NAME'] = "/w/$script";
$_SERVER['SCRIPT_FILENAME'] = "$root/$script";
chdir( $root );
require "$root/$script";
