"""Rules that choose the mixing coefficient alpha of a sweep; none of them sees a test label."""
