"""Next weeks of what sells: shares with intervals, the next top-5, and words for them; each with its backtest."""
