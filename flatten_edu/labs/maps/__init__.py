"""The lab `maps`: where does a trained patch look?"""
