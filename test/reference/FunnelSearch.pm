# What funnel(), funnel_level() and funnel_entry() must answer, found by trying every chain.
#
# Meant to be plainly right, not fast: use it with eight events and five steps. The rules
# of a chain stand one by one in subs named after them.
#
# A case is a hash:
#	events		[ { at => number, event, channel, value, properties (the text of the jsonb),
#				    texts => { key => value as text } }, ... ], in any order
#	steps		[ pattern, ... ]
# and optionally within, step_within [...], mode, once, strictly_increasing, exclude [...],
# exclude_after [...], optional [...], hold, entered { lower, upper, lower_inc, upper_inc } or
# { empty => 1 }, and property, which is what funnel_entry() is asked for. Lengths of time
# are numbers of the same unit as at; what is undef is not asked for.
#
# A chain is an array: for each step the place of its event in the timeline, from 0, or undef
# where the step is skipped. It may be shorter than steps.
package FunnelSearch;
use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(funnel_search in_order pattern_matches);

my %mode_of = (
	ordered => 'ordered',
	any => 'any',
	unordered => 'any',
	contiguous => 'contiguous',
	strict => 'contiguous',
	exact_order => 'contiguous',
);

# Returns { level, times => [...], entry }.
sub funnel_search
{
	my $case = shift;
	my $search = {
		%$case,
		events => [ in_order(@{ $case->{events} }) ],
		mode => $mode_of{ $case->{mode} // 'ordered' },
		once => $case->{once} // 1,
		optional => { map { $_ => 1 } @{ $case->{optional} // [] } },
		best => undef,
	};
	foreach my $pattern (@{ $case->{steps} })
	{
		push @{ $search->{fitting} }, [ grep { pattern_matches($pattern, $search->{events}[$_]) } 0 .. $#{ $search->{events} } ];
	}
	extend($search, []);

	my $best = $search->{best};
	return { level => 0, times => [ map { undef } @{ $case->{steps} } ], entry => undef } if !$best;
	return {
		level => $best->{level},
		times => $best->{times},
		entry => value_of($search->{events}[ $best->{entry_event} ], $case->{property}) };
}

# The timeline's own order: time, label, channel, properties, value, by bytes, NULL first.
sub in_order
{
	return sort {
		     $a->{at} <=> $b->{at}
		  || $a->{event} cmp $b->{event}
		  || null_first($a->{channel}, $b->{channel}, sub { $_[0] cmp $_[1] })
		  || null_first($a->{properties}, $b->{properties}, sub { $_[0] cmp $_[1] })
		  || null_first($a->{value}, $b->{value}, sub { $_[0] <=> $_[1] })
	} @_;
}

sub null_first
{
	my ($left, $right, $compare) = @_;
	return defined $left <=> defined $right if !defined $left || !defined $right;
	return $compare->($left, $right);
}

# Visits each chain that begins with $chain. What is broken once stays broken however the
# chain goes on, so nothing is lost by going back at once.
sub extend
{
	my ($search, $chain) = @_;
	my $step = @$chain + 1;
	return if $step > @{ $search->{steps} };
	foreach my $event (@{ $search->{fitting}[ $step - 1 ] })
	{
		my $longer = [ @$chain, $event ];
		next if !may_begin($search, $longer);
		consider($search, $longer) if is_complete($search, $longer);
		extend($search, $longer);
	}
	extend($search, [ @$chain, undef ]) if $search->{optional}{$step};
	return;
}

sub may_begin
{
	my ($search, $chain) = @_;
	return !(
		   $search->{once} && serves_twice($chain)
		|| $search->{mode} ne 'any' && is_out_of_order($search, $chain)
		|| defined $search->{within} && is_too_long($search, $chain)
		|| defined $search->{step_within} && has_too_long_gap($search, $chain)
		|| defined $search->{exclude} && has_excluded($search, $chain)
		|| defined $search->{hold} && holds_not($search, $chain));
}

sub is_complete
{
	my ($search, $chain) = @_;
	return !(
		   defined $search->{entered} && !is_in_range(first_time($search, $chain), $search->{entered})
		|| $search->{mode} eq 'contiguous' && has_stranger($search, $chain));
}

sub serves_twice
{
	my %seen;
	$seen{$_}++ for taken($_[0]);
	return grep { $_ > 1 } values %seen;
}

sub is_out_of_order
{
	my ($search, $chain) = @_;
	foreach my $gap (gaps($search, $chain))
	{
		return 1 if $gap->{end} < $gap->{start};
		return 1 if $search->{strictly_increasing} && $gap->{end} == $gap->{start};
	}
	return 0;
}

sub is_too_long
{
	my ($search, $chain) = @_;
	return last_time($search, $chain) - first_time($search, $chain) > $search->{within};
}

# A gap belongs to the step it leaves.
sub has_too_long_gap
{
	my ($search, $chain) = @_;
	my @limits = @{ $search->{step_within} };
	foreach my $gap (gaps($search, $chain))
	{
		my $limit = @limits == 1 ? $limits[0] : $limits[ $gap->{left_step} - 1 ];
		return 1 if $gap->{end} - $gap->{start} > $limit;
	}
	return 0;
}

sub has_excluded
{
	my ($search, $chain) = @_;
	foreach my $gap (gaps($search, $chain))
	{
		my @between = grep { $_->{at} > $gap->{start} && $_->{at} < $gap->{end} } @{ $search->{events} };
		foreach my $x (0 .. $#{ $search->{exclude} })
		{
			my $after = $search->{exclude_after} ? $search->{exclude_after}[$x] : undef;
			next if defined $after && $after != $gap->{left_step};
			return 1 if grep { pattern_matches($search->{exclude}[$x], $_) } @between;
		}
	}
	return 0;
}

sub holds_not
{
	my ($search, $chain) = @_;
	my %values;
	foreach my $event (taken($chain))
	{
		my $value = value_of($search->{events}[$event], $search->{hold});
		return 1 if !defined $value;
		$values{$value} = 1;
	}
	return keys %values > 1;
}

# An event between the chain's first instant and its last that is not of the chain.
sub has_stranger
{
	my ($search, $chain) = @_;
	my %own = map { $_ => 1 } taken($chain);
	my ($first, $last) = (first_time($search, $chain), last_time($search, $chain));
	return grep { !$own{$_} && $search->{events}[$_]{at} > $first && $search->{events}[$_]{at} < $last } 0 .. $#{ $search->{events} };
}

sub is_in_range
{
	my ($time, $range) = @_;
	return 0 if $range->{empty};
	if (defined $range->{lower})
	{
		return 0 if $time < $range->{lower} || $time == $range->{lower} && !$range->{lower_inc};
	}
	if (defined $range->{upper})
	{
		return 0 if $time > $range->{upper} || $time == $range->{upper} && !$range->{upper_inc};
	}
	return 1;
}

# Keeps the chain if it is better than the best so far. Of equally good ones the first event
# that entered in any of them is kept.
sub consider
{
	my ($search, $chain) = @_;
	my @times = map { defined $chain->[$_] ? $search->{events}[ $chain->[$_] ]{at} : undef } 0 .. $#{ $search->{steps} };
	my $found = {
		level => scalar @$chain,
		first => first_time($search, $chain),
		last => last_time($search, $chain),
		times => \@times };
	my @entry = grep { defined $chain->[$_] && $times[$_] == $found->{first} } 0 .. $#$chain;
	$found->{entry_event} = $chain->[ $search->{mode} eq 'any' ? $entry[0] : 0 ];

	my $best = $search->{best};
	my $order = !$best ? -1 : $best->{level} <=> $found->{level}
	  || $found->{last} <=> $best->{last}
	  || $best->{first} <=> $found->{first}
	  || compare_times($found->{times}, $best->{times})
	  || $found->{entry_event} <=> $best->{entry_event};
	$search->{best} = $found if $order < 0;
	return;
}

# One after the other, what is skipped after every time.
sub compare_times
{
	my ($left, $right) = @_;
	foreach my $i (0 .. $#$left)
	{
		my $order = defined $right->[$i] <=> defined $left->[$i];
		$order = $left->[$i] <=> $right->[$i] if !$order && defined $left->[$i];
		return $order if $order;
	}
	return 0;
}

sub taken
{
	return grep { defined } @{ $_[0] };
}

sub times_of
{
	my ($search, $chain) = @_;
	return sort { $a <=> $b } map { $search->{events}[$_]{at} } taken($chain);
}

sub first_time
{
	return (times_of(@_))[0];
}

sub last_time
{
	return (times_of(@_))[-1];
}

# From each step taken to the next one taken.
sub gaps
{
	my ($search, $chain) = @_;
	my @steps = grep { defined $chain->[ $_ - 1 ] } 1 .. @$chain;
	return map {
		{
			left_step => $steps[$_],
			start => $search->{events}[ $chain->[ $steps[$_] - 1 ] ]{at},
			end => $search->{events}[ $chain->[ $steps[ $_ + 1 ] - 1 ] ]{at} }
	} 0 .. $#steps - 1;
}

sub value_of
{
	my ($event, $key) = @_;
	return undef if !defined $key;
	return $key eq 'channel' ? $event->{channel} : $event->{texts}{$key};
}

# event, event@channel, event[key=value,...], joined by |; * is any text. No escapes.
sub pattern_matches
{
	my ($pattern, $event) = @_;
	foreach my $term (split /\|/, $pattern)
	{
		my ($label, $channel, $conditions) = $term =~ /^([^@\[]*)(?:@([^\[]*))?(?:\[(.*)\])?$/ or die "pattern $term\n";
		next if !text_matches($label, $event->{event});
		next if defined $channel && !text_matches($channel, $event->{channel});
		next if grep { my ($key, $value) = split /=/; !text_matches($value, $event->{texts}{$key}) } split /,/, $conditions // '';
		return 1;
	}
	return 0;
}

sub text_matches
{
	my ($glob, $text) = @_;
	my $regex = join '.*', map { quotemeta } split /\*/, $glob, -1;
	return defined $text && $text =~ /^$regex\z/s;
}

1;
