# Retrieves a maildrop with Net::POP3 and writes message N into the file N of a folder.
use strict;
use warnings;
use Authen::SASL;
use Net::POP3;

my ($port, $channel, $login, $user, $password, $ca, $inbox, $removal) = @ARGV;
my @tls = (SSL_ca_file => $ca, SSL_verifycn_name => 'localhost');

my $pop = Net::POP3->new('localhost', Port => $port, Timeout => 60, SSL => $channel eq 'implicit TLS' ? 1 : 0, @tls)
  or die "cannot connect: $@\n";
if ($channel eq 'STLS') {
  $pop->starttls(@tls) or die 'STLS: ' . $pop->message;
}

my $count;
if ($login eq 'USER') {
  $count = $pop->login($user, $password);
} elsif ($login eq 'APOP') {
  $count = $pop->apop($user, $password);
} else {
  my $sasl = Authen::SASL->new(
    mechanism => $login,
    callback => { user => $user, authname => $user, pass => $password },
  );
  $count = ($pop->popstat)[0] if $pop->auth($sasl);
}
defined $count or die 'refused: ' . $pop->message;

my $uidls = $pop->uidl;
my $sizes = $pop->list;
$count == keys %$sizes && $count == keys %$uidls or die "UIDL and LIST differ from STAT\n";
for my $n (sort { $a <=> $b } keys %$sizes) {
  my $lines = $pop->get($n) or die "RETR $n: " . $pop->message;
  open my $file, '>:raw', "$inbox/$n" or die "$inbox/$n: $!\n";
  print $file @$lines;
  close $file or die "$inbox/$n: $!\n";
  if ($removal eq 'remove') {
    $pop->delete($n) or die "DELE $n: " . $pop->message;
  }
}
$pop->quit or die 'QUIT: ' . $pop->message;
