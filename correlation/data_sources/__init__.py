"""The catalogue of data sources: kept, checked, admitted."""
